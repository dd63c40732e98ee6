"""Reads an archive with every reader that must understand it, and prints what each one saw.

    read_archive.py ARCHIVE

One JSON object on stdout: for each reader the rows per kind, and the columns that all of them saw.
Exits 1, with a sentence on stderr, when a reader fails or when two readers disagree.
"""

import json
import sys
from importlib.resources import files

import deltalake
import duckdb
import polars


def read_with_pyarrow(archive):
    table = deltalake.DeltaTable(archive).to_pyarrow_table()
    counts = table.group_by("kind").aggregate([("kind", "count")]).to_pylist()
    return table.column_names, {row["kind"]: row["kind_count"] for row in counts}


def read_with_polars(archive):
    frame = polars.scan_delta(archive)
    counts = frame.group_by("kind").len().collect()
    return frame.collect_schema().names(), dict(counts.iter_rows())


def read_with_duckdb(archive):
    # The extension comes from PyPI, so that nothing is fetched when the test runs.
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.load_extension(duckdb_delta_extension())
    connection.execute("SET TimeZone = 'UTC'")
    table = connection.sql("SELECT * FROM delta_scan($archive)", params={"archive": archive})
    counts = connection.execute(
        "SELECT kind, count(*) FROM delta_scan($archive) GROUP BY kind", {"archive": archive}
    )
    return table.columns, dict(counts.fetchall())


def duckdb_delta_extension():
    found = list(files("duckdb_extension_delta").glob("**/delta.duckdb_extension"))
    return str(found[0])


READERS = {
    "pyarrow": read_with_pyarrow,
    "polars": read_with_polars,
    "duckdb": read_with_duckdb,
}


def main(archive):
    answer = {}
    columns = {}
    for reader, read in READERS.items():
        try:
            names, counts = read(archive)
        except Exception as error:  # Whatever a reader throws, the archive is at fault or it is.
            return f"{reader} cannot read {archive}: {type(error).__name__}: {error}"
        columns[reader] = list(names)
        answer[reader] = dict(sorted(counts.items()))

    first = next(iter(READERS))
    for reader in READERS:
        # The partition columns come first in one reader and last in another.
        if sorted(columns[reader]) != sorted(columns[first]):
            return f"{reader} sees columns {columns[reader]}, {first} sees {columns[first]}"
        if answer[reader] != answer[first]:
            return f"{reader} counts {answer[reader]}, {first} counts {answer[first]}"
    answer["columns"] = columns[first]
    print(json.dumps(answer))
    return None


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip())
    sys.exit(main(sys.argv[1]))
