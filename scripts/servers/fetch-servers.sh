# For scripts/test: real database servers and a log shipper, unpacked into the cache. Nothing is installed and nobody has
# to be root: the packages of this very distribution, with the libraries that they need.
# Sourced in the root of the checkout. `cache` is the cache of scripts/test; `say`, `have`, `once` and `complete` are its.
#
# Sets DATAWARD_POSTGRES, DATAWARD_MARIADB and DATAWARD_RSYSLOG to where their programs are, unless they are set already:
# folders with a colon between them, or `none`, which says aloud that there are none, and lets their tests be skipped.

# jsonlog came with 15.
servers_postgres_oldest=15

fetch_servers() {
  local recipe=scripts/servers/fetch-servers.sh folder=none
  if [[ -n ${DATAWARD_POSTGRES:-} && -n ${DATAWARD_MARIADB:-} && -n ${DATAWARD_RSYSLOG:-} ]]; then
    : # Nothing to fetch.
  elif have apt-get && have dpkg-deb; then
    # What one distribution has unpacked does not run in another.
    folder=$cache/servers/$(. /etc/os-release && echo "$ID-${VERSION_ID:-next}")-$(dpkg --print-architecture)
    if once "$folder" "$recipe"; then
      say "fetching PostgreSQL, MariaDB and rsyslog into $folder"
      unpack_servers "$folder"
      complete "$folder" "$recipe"
    fi
  fi
  export DATAWARD_POSTGRES=${DATAWARD_POSTGRES:-$(server_folder "$folder" postgres)}
  export DATAWARD_MARIADB=${DATAWARD_MARIADB:-$(server_folder "$folder" mariadbd)}
  export DATAWARD_RSYSLOG=${DATAWARD_RSYSLOG:-$(server_folder "$folder" rsyslogd)}
  local missing=()
  [[ $DATAWARD_POSTGRES != none ]] || missing+=("PostgreSQL $servers_postgres_oldest or newer with pgaudit")
  [[ $DATAWARD_MARIADB != none ]] || missing+=("MariaDB with server_audit")
  [[ $DATAWARD_RSYSLOG != none ]] || missing+=("rsyslog with omkafka")
  if ((${#missing[@]} > 0)); then
    say "not to be had here, and not tested:$(printf ' %s;' "${missing[@]}") see scripts/servers/README.md"
  fi
}

server_folder() {
  if [[ -x $1/bin/$2 ]]; then echo "$1/bin"; else echo none; fi
}

# apt with lists of its own, as if nothing were installed: the same packages come, whatever the system has.
servers_apt() {
  local command=$1
  shift
  "$command" -qq -c "$apt/apt.conf" "$@"
}

unpack_servers() {
  local folder=$1 apt=$1/apt root=$1/root wanted=(mariadb-server rsyslog rsyslog-kafka) version package
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$root" "$folder/bin"
  : >"$apt/status"
  cat >"$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::Lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Debug::NoLocking "true";
APT::Sandbox::User "";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
CONF
  servers_apt apt-get update >&2
  version=$(servers_apt apt-cache pkgnames postgresql- |
    sed -n 's/^postgresql-\([0-9]*\)-pgaudit$/\1/p' | sort -n | tail -1)
  if ((${version:-0} >= servers_postgres_oldest)); then
    wanted+=("postgresql-$version" "postgresql-$version-pgaudit")
  fi

# What they need of everything else: the libraries. The C library stays the system's own, as its loader is.
  local packages=()
  while read -r package; do
    case $package in
      libc6 | libc-* | libgcc* | *-perl | libperl* | libllvm* | libz3*) ;;
      lib* | zlib1g | "postgresql-$version"* | "postgresql-client-$version" | mariadb-* | rsyslog*)
        packages+=("$package")
        ;;
    esac
  done < <(servers_apt apt-get --print-uris -y --no-install-recommends install "${wanted[@]}" |
    awk '{ sub("_.*", "", $2); print $2 }')
  (cd "$apt" && servers_apt apt-get download "${packages[@]}" >&2)
  for package in "$apt"/*.deb; do
    dpkg-deb -x "$package" "$root"
  done
  rm -rf "$apt" "$root"/usr/share/{doc,man,locale} "$root"/usr/lib/postgresql/*/lib/bitcode

  local libraries
  libraries=$(printf '%s:' "$root"/{usr/,}lib/*-linux-gnu*)
  for package in initdb postgres pg_isready psql pg_dump pg_basebackup; do
    server_program "$folder" "$root/usr/lib/postgresql/$version/bin/$package"
  done
  server_program "$folder" "$root/usr/sbin/mariadbd" --basedir="$root/usr" --plugin-dir="$root/usr/lib/mysql/plugin"
  server_program "$folder" "$root/usr/bin/mariadb-install-db" --basedir="$root/usr"
  for package in mariadb mariadb-admin mariadb-dump; do
    server_program "$folder" "$root/usr/bin/$package"
  done
  server_program "$folder" "$root/usr/sbin/rsyslogd" -M "$(echo "$root"/usr/lib/*-linux-gnu*/rsyslog)"
  # Nothing else there is called, and much of it is large.
  find "$root/usr/bin" -type f ! -name mariadb ! -name mariadb-admin ! -name mariadb-dump \
    ! -name mariadb-install-db ! -name my_print_defaults ! -name resolveip -delete

  # A library that is missing shows here, and not in the middle of a test.
  [[ ! -e $folder/bin/postgres ]] || "$folder/bin/postgres" --version >/dev/null
  "$folder/bin/mariadbd" --version >/dev/null
  "$folder/bin/rsyslogd" -v >/dev/null
}

# In `bin`, a program that finds its libraries, and what it is to be told behind its arguments.
server_program() {
  local folder=$1 program=$2 name=${2##*/}
  shift 2
  [[ -e $program ]] || return 0
  {
    echo '#!/bin/sh'
    printf 'export LD_LIBRARY_PATH="%s"${LD_LIBRARY_PATH:+":$LD_LIBRARY_PATH"}\n' "${libraries%:}"
    printf 'exec "%s" "$@"' "$program"
    (($# == 0)) || printf ' "%s"' "$@"
    echo
  } >"$folder/bin/$name"
  chmod +x "$folder/bin/$name"
}
