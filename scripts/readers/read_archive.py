"""Reads an archive with every reader that must understand it, and prints what each one saw.

    read_archive.py ARCHIVE

One JSON object on stdout: for each reader the rows per kind, and the columns that all of them saw.
Exits 1, with a sentence on stderr, when a reader fails or when two readers disagree. All of them read the version of
the table that stands when the first one opens it: somebody may be writing.

Spark reads where DATAWARD_SPARK_JARS names the folder of Delta's jars; where it does not, that is said on stderr.
"""

import json
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files

# Each reader is imported where it reads, in a process of its own: they bring the same native libraries in versions of
# their own.


def newest_version(archive):
    import deltalake

    return deltalake.DeltaTable(archive).version()


def read_with_pyarrow(archive, version):
    import deltalake

    table = deltalake.DeltaTable(archive, version=version).to_pyarrow_table()
    counts = table.group_by("kind").aggregate([("kind", "count")]).to_pylist()
    return table.column_names, {row["kind"]: row["kind_count"] for row in counts}


def read_with_polars(archive, version):
    import polars

    frame = polars.scan_delta(archive, version=version)
    counts = frame.group_by("kind").len().collect()
    return frame.collect_schema().names(), dict(counts.iter_rows())


def read_with_duckdb(archive, version):
    import duckdb

    # The extension comes from PyPI, so that nothing is fetched when the test runs.
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.load_extension(duckdb_delta_extension())
    connection.execute("SET TimeZone = 'UTC'")
    scan = f"delta_scan($archive, version => {version})"
    table = connection.sql(f"SELECT * FROM {scan}", params={"archive": archive})
    counts = connection.execute(
        f"SELECT kind, count(*) FROM {scan} GROUP BY kind", {"archive": archive}
    )
    return table.columns, dict(counts.fetchall())


def read_with_clickhouse(archive, version):
    import chdb

    # It reads nothing outside the folder that it runs in.
    os.chdir("/")
    session = chdb.connect(":memory:")
    scan = f"deltaLakeLocal({quoted(archive)}) SETTINGS delta_lake_snapshot_version = {version}"
    described = session.query(f"DESCRIBE TABLE {scan}", "JSONCompact")
    columns = [row[0] for row in json.loads(described.bytes())["data"]]
    counted = f"SELECT kind, count() FROM deltaLakeLocal({quoted(archive)}) GROUP BY kind"
    counted += f" SETTINGS delta_lake_snapshot_version = {version}"
    counts = json.loads(session.query(counted, "JSONCompact").bytes())["data"]
    return columns, {kind: int(count) for kind, count in counts}


def quoted(text):
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def read_with_spark(archive, version):
    from pyspark.sql import SparkSession

    folder = os.environ["DATAWARD_SPARK_JARS"]
    jars = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".jar")]
    builder = SparkSession.builder.master("local[1]").config("spark.jars", ",".join(sorted(jars)))
    settings = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # The log is small here: fifty tasks for it would take a minute.
        "spark.databricks.delta.snapshotPartitions": "1",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    table = spark.read.format("delta").option("versionAsOf", version).load(archive)
    counts = table.groupBy("kind").count().collect()
    answer = table.columns, {row["kind"]: row["count"] for row in counts}
    spark.stop()
    return answer


def duckdb_delta_extension():
    found = list(files("duckdb_extension_delta").glob("**/delta.duckdb_extension"))
    return str(found[0])


READERS = {
    "pyarrow": read_with_pyarrow,
    "polars": read_with_polars,
    "duckdb": read_with_duckdb,
    "clickhouse": read_with_clickhouse,
}
if "DATAWARD_SPARK_JARS" in os.environ:
    READERS["spark"] = read_with_spark


def apart(read, *arguments):
    """Runs a function in a process of its own."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
        return pool.submit(read, *arguments).result()


def main(archive):
    version = apart(newest_version, archive)
    answer = {"version": version}
    columns = {}
    for reader, read in READERS.items():
        try:
            names, counts = apart(read, archive, version)
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
    if "spark" not in READERS:
        print("SKIPPED: Spark (DATAWARD_SPARK_JARS is not set)", file=sys.stderr)
    sys.exit(main(os.path.abspath(sys.argv[1])))
