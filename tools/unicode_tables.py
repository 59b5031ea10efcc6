"""`python -m tools.unicode_tables`: write core/unicode_tables.py from what Java and ICU know of Unicode.

Java's patterns and Spark's ICU decide what a keyword is, and each of them, like each Python, has a Unicode
version of its own. The tables are Java's classes of characters whole, ICU's emoji and default ignorable
characters, and ICU's mappings of the characters that are newer than Unicode 14, which Python 3.11 has.
"""

import textwrap
from collections.abc import Iterable, Iterator

from pydantic import SecretStr
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from archive.session import start_session
from core.keyword_rule import JAVA_CLASSES
from core.settings import Settings
from deploy.local.layout import REPOSITORY, layout_for

FILE = REPOSITORY / "core" / "unicode_tables.py"
PYTHON_UNICODE = 14
_IGNORABLE, _EMOJI, _PICTOGRAPHIC, _MODIFIER, _REGIONAL = 5, 57, 64, 59, 62
"""ICU's numbers of binary properties (class UProperty)."""
_HEAD = '''"""Unicode as Java {java} and Spark's ICU (Unicode {unicode}) have it.

Made by `python -m tools.unicode_tables`. Code points are hexadecimal. Classes are ranges.
The mappings are of characters newer than Unicode {python}.
"""

'''


def module_text(spark: SparkSession) -> str:
    """Return the text of core/unicode_tables.py."""
    java = spark.range(1).select(F.reflect(F.lit("java.lang.Runtime"), F.lit("version"))).collect()[0][0]
    unicode = spark.range(1).select(icu("lang.UCharacter", "getUnicodeVersion")).collect()[0][0]
    head = _HEAD.format(java=java.partition(".")[0], unicode=unicode[:4], python=PYTHON_UNICODE)
    return head + "".join([*_classes(spark), *_properties(spark), *_mappings(spark)])


def code_points(spark: SparkSession) -> DataFrame:
    """Return a row for each code point but the surrogates: `number` (int) and `text` (string)."""
    text = F.decode(F.unhex(F.lpad(F.hex("id"), 8, "0")), "UTF-32")
    numbers = spark.range(0x110000).where(~F.col("id").between(0xD800, 0xDFFF))
    return numbers.select(F.col("id").cast("int").alias("number"), text.alias("text"))


def icu(name: str, method: str, *arguments: object) -> Column:
    """Return the result, as a string, of a static method of ICU's class `name`."""
    columns = (value if isinstance(value, Column) else F.lit(value) for value in arguments)
    return F.reflect(F.lit(f"com.ibm.icu.{name}"), F.lit(method), *columns)


def _classes(spark: SparkSession) -> Iterator[str]:
    for name, characters in JAVA_CLASSES._asdict().items():
        rows = code_points(spark).where(F.col("text").rlike(f"[{characters}]")).select("number").toArrow()
        yield _constant(name.upper(), _ranges(sorted(rows["number"].to_pylist())))


def _properties(spark: SparkSession) -> Iterator[str]:
    number = F.col("number")

    def has(code: int) -> Column:
        return icu("lang.UCharacter", "hasBinaryProperty", number, code) == "true"

    picture = (number > 127) & (has(_EMOJI) | has(_PICTOGRAPHIC)) & ~has(_MODIFIER) & ~has(_REGIONAL)
    for name, condition in (("EMOJI", picture), ("IGNORABLE", has(_IGNORABLE))):
        rows = code_points(spark).where(condition).select("number").toArrow()
        yield _constant(name, _ranges(sorted(rows["number"].to_pylist())))


def _mappings(spark: SparkSession) -> Iterator[str]:
    text, number = F.col("text"), F.col("number")
    age = F.split(icu("lang.UCharacter", "getAge", number), r"\.")[0].cast("int")
    rows = (
        code_points(spark)
        .where(age > PYTHON_UNICODE)
        .select(
            number,
            text,
            icu("text.Normalizer", "decompose", text, True).alias("decomposed"),
            icu("text.Normalizer", "compose", text, True).alias("composed"),
            icu("lang.UCharacter", "foldCase", text, True).alias("folded"),
            icu("lang.UCharacter", "getCombiningClass", number).alias("combining_class"),
        )
        .orderBy("number")
        .collect()
    )
    decomposed = [row for row in rows if row.decomposed != row.text]
    yield _constant("DECOMPOSITIONS", (_mapped(row.number, row.decomposed) for row in decomposed))
    yield _constant("COMPOSED", (f"{row.number:X}" for row in decomposed if row.composed == row.text))
    yield _constant("FOLDS", (_mapped(row.number, row.folded) for row in rows if row.folded != row.text))
    yield _constant(
        "COMBINING_CLASSES",
        (f"{row.number:X}:{int(row.combining_class)}" for row in rows if row.combining_class != "0"),
    )


def _ranges(numbers: Iterable[int]) -> Iterator[str]:
    """Yield ascending numbers as ranges.

    >>> list(_ranges([65, 66, 67, 95]))
    ['41-43', '5F']
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return (f"{first:X}" if first == last else f"{first:X}-{last:X}" for first, last in runs)


def _mapped(number: int, text: str) -> str:
    """Return a mapping as text.

    >>> _mapped(65, "ab")
    '41:61,62'
    """
    return f"{number:X}:{','.join(f'{ord(character):X}' for character in text)}"


def _constant(name: str, words: Iterable[str]) -> str:
    lines = textwrap.wrap(" ".join(words), 104, break_on_hyphens=False)
    body = "\n".join(f"    {line}" for line in lines)
    return f'{name} = """\n{body}\n"""\n'


def main() -> None:
    """Write the module."""
    settings = Settings(
        kafka_bootstrap_servers="unused",
        postgres_host="unused",
        postgres_password=SecretStr("unused"),
        s3_bucket="unused",
        spark_jars_dir=str(layout_for().jars / "spark"),
    )
    spark = start_session(settings, "unicode tables")
    FILE.write_text(module_text(spark))
    spark.stop()


if __name__ == "__main__":
    main()
