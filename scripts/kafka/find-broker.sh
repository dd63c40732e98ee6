# For scripts that need the broker's jars and fetch nothing; sourced in the root of the checkout. `cache` is the cache of
# scripts/test, `say` how the script talks.
find_broker() {
  local version
  version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' scripts/kafka/pom.xml)
  export DATAWARD_KAFKA_LIBS=${DATAWARD_KAFKA_LIBS:-$cache/kafka/$version}
  if [[ ! -d $DATAWARD_KAFKA_LIBS ]]; then
    say "no broker in $DATAWARD_KAFKA_LIBS: run scripts/test first"
    exit 1
  fi
}
