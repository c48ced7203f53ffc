#!/usr/bin/env python3
"""Runs an independent parser, Prometheus' Python client, over our corpus and the real pages.

    pip install prometheus_client==0.26.0
    python3 tests/differential/oracle.py

writes `exposition_cases.json` and `exposition_pages.json` beside this file. They are checked in, so
that `cargo test` needs no Python; `tests/it/exposition_differential.rs` holds our parser to them,
but for what `exposition_disagreements.json` lists.

The oracle gathers a page's samples into families, renames the samples of counters, and drops
samples that it has seen before. So the corpus is single lines wherever a line can stand alone, and
the real pages are given to it line by line.
"""

import json
import math
import pathlib
from fractions import Fraction

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

HERE = pathlib.Path(__file__).resolve().parent
PAGES = HERE.parent / "pages"

VALUES = """
0 1 -1 +1 007 -0 1.0 .5 5. -.5 +.5 . - + 1e5 1E5 1e+5 1e-5 1e 1e+ e5 .e5 1.5.5 1,5 1_000 1__0 _1 1_
0x10 0x1p4 0x1p-2 0b11 0o17 1e308 1.7976931348623157e308 1.8e308 1e309 -1e309 1e999 1e-323 1e-400 4.9e-324
0.1 0.30000000000000004 123456789012345678 9007199254740993 18446744073709551616
100000000000000000000000000000000000000000 2.0979152e+07 3.756795520E8 1e05 00.5
NaN nan NAN nAn +NaN -NaN -nan +nan nan(1) Na NaNs Inf inf INF +Inf -Inf +inf -inf +INF Infinity infinity -Infinity +infinity INFINITY
infinit in Infin --1 ++1 +-1 --Inf 1f 1d 1L 1h 10% $1 0.5s 1m true null None "1" '1' (1) [1] ١ ５ ½ ∞ ² 1e１ #1 1#
""".split()

TIMESTAMPS = """
0 1 -1 +1 1395066363000 1395066363 1520879607.789 1520879607789 1.005 1.5 -2.5 .5 5. 1e3 1.5e9 1E3 -0
9223372036854775807 9223372036854775808 -9223372036854775808 99999999999999999999 1e300 1e999 NaN nan Inf -Inf +Inf
1_0 0x10 x 1s - + "" 00012 1395066363000.0 ١ 12,5
""".split()

# What can stand between the braces of `m{…} 1`.
BRACES = [
    '', ' ', 'a="b"', 'a=""', 'a="b",c="d"', 'a="b",c="d",', 'a="b",', 'a="b", ', 'a="b" ,', ' a="b"', 'a="b" ',
    'a = "b"', 'a= "b"', 'a ="b"', 'a\t=\t"b"', 'a="b", c="d"', 'a="b" , c="d"', 'a="b",\tc="d"', 'a="b"c="d"',
    'a="b" c="d"', 'a="b";c="d"', ',', ',,', ',a="b"', 'a="b",,', 'a="b",,c="d"', 'a', 'a=', 'a="', 'a="b', '="b"', '="',
    '"', 'a=b', "a='b'", 'a="b"x', 'a="b""c"', 'a=="b"', 'a="b"=', 'a:"b"', 'a{="b"', 'a="b"}', '{a="b"}', 'a=1',
    'a="b",a="c"', 'a="b",a="b"', 'a="b",c="d",a="e"', '__name__="x"', 'a="b",__name__="x"', '_="b"', '__a="b"',
    '1a="b"', 'a1="b"', 'a-b="c"', 'a.b="c"', 'a:b="c"', ':a="c"', 'é="c"', 'aé="c"', 'a b="c"', '#="c"',
    r'a="\\"', r'a="\""', r'a="\n"', r'a="\\n"', r'a="\\\n"', r'a="\\\\"', r'a="\t"', r'a="\x"', r'a="\é"', 'a="b\\"', 'a="\\',
    r'a="\\\"', r'a="b\\",c="d"', r'a="b\",c=\"d"', r'a="\"",c="\""', 'a="{"', 'a="}"', 'a="{}"', 'a=","', 'a="="', 'a="#"',
    'a=" # "', 'a=" "', 'a="\t"', 'a="é日本🦀"', 'a="\u00a0"', 'a="\u2028"', 'a="\x01"', 'a="\x0b"', 'a="\'"', 'a="b=\\"c\\""',
    'le="+Inf"', 'le="0.5"', 'quantile="0.99"',
    '"a"="b"', '"a.b"="c"', '"a b"="c"', '"é"="c"', '""="c"', '"a"="b","a"="c"', '"a"="b",a="c"', r'"a\"b"="c"',
    r'"a\\"="c"', '"a,b"="c"', '"a=b"="c"', '"a}b"="c"', '"a"', '"a",', '"a","b"="c"', '"1"="c"', '"a" = "c"', "'a'=\"b\"",
]

# Whole lines whose name is the point.
NAMES = [
    'm 1', 'M 1', '_m 1', '_ 1', ':m 1', 'm: 1', 'a:b:c 1', 'm1 1', '1m 1', '1 1', 'm-n 1', 'm-1 5', 'm+1 5', 'm.5 1',
    'm.n 1', 'm,n 1', 'm/n 1', 'm\\n 1', 'é 1', 'mé 1', 'm@1 1', '"m" 1', '"m"{a="b"} 1', '{"m"} 1', '{"m",} 1',
    '{"m.n"} 1', '{"m.n",a="b"} 1', '{"m n",a="b"} 1', '{"é日"} 1', '{"m.n","a.b"="c"} 1', '{a="b","m.n"} 1',
    '{"m","n"} 1', 'm{"n"} 1', 'm{"n",a="b"} 1', '{""} 1', '{"",a="b"} 1', '{} 1', '{a="b"} 1', '{m} 1', '{m,a="b"} 1',
    '{"m} 1', '{m"} 1', '{"m"} ', '{"m"', '{', '}', '{}', '{"m\\"n"} 1', '{"m\\\\n"} 1', '{"m\\nn"} 1', '{"m{n"} 1',
    '{"m}n"} 1', '{"m,n"} 1', '{"m=n"} 1', '{"m#n"} 1', '{"__name__"="m"} 1', '{__name__="m"} 1', '{__name__="m",a="b"} 1',
    '\ufeffm 1', '<html>', 'null', 'm', 'm{}', 'm{a="b"}', 'm =1', 'm=1', 'm:1', 'm;1', '= 1', ', 1',
]

# Whole lines whose blanks are the point.
BLANKS = [
    ' m 1', '\tm 1', 'm  1', 'm\t1', 'm \t 1', 'm 1 ', 'm 1\t', 'm 1  2', 'm 1\t2', 'm 1 2 ', 'm  1  2', 'm\t1\t2', ' m  1  2 ',
    'm {} 1', 'm\t{} 1', 'm{}1', 'm{}\t1', 'm{}  1', 'm{a="b"}1', 'm{a="b"} 1', 'm{a="b"}  1', 'm{a="b"}\t1', 'm{a="b"}1 2',
    'm{a="b"} 1 2', 'm{a="b"} 1 2 ', 'm{a="b"}', 'm{a="b"} ', 'm{a="b"} {c="d"} 1', 'm{a="b"}{c="d"} 1', 'm ', 'm  ', 'm 1 2 3',
    'm 1 2 3 4', 'm 1 x 3', 'm 1 2 x', 'm\u00a01', 'm 1\u00a0', 'm 1\x0b', 'm 1\x0c2', 'm\x0b1', 'm 1\r', 'm 1 2\r', 'm{a="b"} 1\r',
    ' ', '\t', ' \t ', '\r', '\x0b', '\u00a0', 'm 1 # x', 'm 1 #', 'm 1 #x', 'm 1# x', 'm # 1', 'm#1', 'm 1 // x',
]

COMMENTS = [
    '#', '##', '# ', '#\t', '# x', '#x', '#x y', '# x y z', '# é', '#HELP m x', '#TYPE m counter', '# HELP', '# HELP ', '# TYPE', '# TYPE ',
    '# HELP m', '# HELP m ', '# HELP m x', '# HELP m x y  z', '# HELP  m x', '# HELP m  x', '#  HELP m x', '#\tHELP\tm\tx', ' # HELP m x',
    '# HELP m x ', r'# HELP m a\nb', r'# HELP m a\\b', r'# HELP m a\"b', r'# HELP m a\tb', r'# HELP m \\n', 'x# HELP m x',
    '# HELP m "x"', '# HELP m # x', '# HELP m é日', '# help m x', '# Help m x', '# HELPm x', '# HELP 1m x', '# HELP m-n x', '# HELP m.n x',
    '# HELP m{} x', '# HELP "m" x', '# HELP "m.n" x', '# HELP "m n" x', '# HELP "" x', '# HELP "m x', '# HELP m" x', '# HELP "m\\"n" x',
    '# TYPE m counter', '# TYPE m gauge', '# TYPE m histogram', '# TYPE m gaugehistogram', '# TYPE m summary', '# TYPE m info',
    '# TYPE m stateset', '# TYPE m unknown', '# TYPE m untyped', '# TYPE m COUNTER', '# TYPE m Counter', '# TYPE m rate', '# TYPE m', '# TYPE m ',
    '# TYPE m counter ', '# TYPE m  counter', '# TYPE  m counter', '# TYPE m counter x', '# TYPE 1m counter', '# TYPE m.n counter',
    '# TYPE "m.n" counter', '# TYPE m_total counter', '# TYPE counter', '# type m counter', '# UNIT m_seconds seconds', '# UNIT m seconds',
    '# UNIT m ', '# UNIT m', '# UNIT', '# UNIT 1m s', '# EOF x', '#EOF', '# eof', ' # EOF', '# EOF ', '# HELP m x\r', '# TYPE m counter\r',
]

# The exemplar behind `m_total 1`.
EXEMPLARS = [
    ' # {} 1', ' # {a="b"} 1', ' # {a="b"} 1 2', ' # {a="b"} 1 2.5', ' # {a="b"} 0.5 1520879607.789', ' 5 # {a="b"} 1', ' 5 # {a="b"} 1 2',
    ' 5.5 # {a="b",c="d"} -1.5 2', ' # {a="b",} 1', ' # {a="b", c="d"} 1', ' # {a="b",a="c"} 1', ' # {a="}"} 1', ' # {a="#"} 1', ' # {a=" # {"} 1',
    r' # {a="\""} 1', r' # {a="\\"} 1', r' # {a="\n"} 1', ' # {"a.b"="c"} 1', ' # {"a"} 1', ' # {a} 1', ' # {a=b} 1', ' # {a="b} 1', ' # {a="b" 1',
    ' # {a="b"', ' # {a="b"}', ' # {a="b"} ', ' # {a="b"}1', ' # {a="b"}  1', ' # {a="b"} x', ' # {a="b"} NaN', ' # {a="b"} +Inf', ' # {a="b"} 1 ',
    ' # {a="b"} 1 x', ' # {a="b"} 1 NaN', ' # {a="b"} 1 2 3', ' # {a="b"} 1 # {c="d"} 2', ' # {a="b"} 1 2 # {c="d"} 2', ' #{a="b"} 1', '# {a="b"} 1',
    '  # {a="b"} 1', ' #  {a="b"} 1', ' # a="b" 1', ' # 1', ' #', ' # ', ' # x', ' 5  # {a="b"} 1', ' x # {a="b"} 1', ' # {a="b"} 1e309',
    ' # {a="' + "b" * 127 + '"} 1', ' # {a="' + "b" * 128 + '"} 1', ' # {__name__="b"} 1',
]

# Texts of several lines, where the lines' order is the point.
TEXTS = [
    ("prometheus", "m 1\nn 2\n"), ("prometheus", "m 1\nn 2"), ("prometheus", "m 1\r\nn 2\r\n"), ("prometheus", "\n\nm 1\n\n\nn 2\n\n"),
    ("prometheus", ""), ("prometheus", "\n"), ("prometheus", "m 1\n# EOF\nn 2\n"), ("prometheus", "m 1\nbad\nn 2\n"),
    ("prometheus", "# HELP m x\n# TYPE m gauge\nm 1\n"), ("prometheus", "# TYPE m counter\nm 1\n"), ("prometheus", "# TYPE m counter\nm_total 1\n"),
    ("prometheus", "# TYPE m_total counter\nm_total 1\n"), ("prometheus", "m 1\nm 2\n"), ("prometheus", "m 1 1\nm 2 2\n"),
    ("prometheus", '# TYPE m histogram\nm_bucket{le="1"} 1\nm_bucket{le="+Inf"} 2\nm_sum 3\nm_count 2\n'),
    ("prometheus", '# TYPE m summary\nm{quantile="0.5"} 1\nm_sum 3\nm_count 2\n'), ("prometheus", 'm{a="x\ny"} 1\n'),
    ("prometheus", "m 1\rn 2\n"), ("prometheus", "# TYPE m gauge\n# TYPE m counter\n"), ("prometheus", "# HELP m x\n# HELP m y\n"),
    ("openmetrics", "# EOF\n"), ("openmetrics", "# EOF"), ("openmetrics", ""), ("openmetrics", "\n"), ("openmetrics", "m 1\n"), ("openmetrics", "m 1"),
    ("openmetrics", "m 1\n# EOF"), ("openmetrics", "m 1\n# EOF\n"), ("openmetrics", "m 1\r\n# EOF\r\n"), ("openmetrics", "m 1\n# EOF\n\n"),
    ("openmetrics", "m 1\n# EOF\nn 2\n"), ("openmetrics", "# EOF\n# EOF\n"), ("openmetrics", "m 1\n\nn 2\n# EOF\n"), ("openmetrics", "m 1\n# x\n# EOF\n"),
    ("openmetrics", "# TYPE m counter\nm_total 1\nm_created 1520430000.123\n# EOF\n"), ("openmetrics", "# TYPE m counter\nm 1\n# EOF\n"),
    ("openmetrics", "# TYPE m counter\nm_total -1\n# EOF\n"), ("openmetrics", "# TYPE m counter\nm_total NaN\n# EOF\n"),
    ("openmetrics", '# TYPE m histogram\nm_bucket{le="1"} 1\nm_bucket{le="+Inf"} 2\nm_count 2\nm_sum 3\n# EOF\n'),
    ("openmetrics", '# TYPE m histogram\nm_bucket{le="1"} 1 # {t="x"} 0.5\nm_bucket{le="+Inf"} 2 # {t="y"} 2 5\n# EOF\n'),
    ("openmetrics", '# TYPE m histogram\nm_bucket{le="1"} 1\n# EOF\n'), ("openmetrics", '# TYPE m histogram\nm_bucket 1\n# EOF\n'),
    ("openmetrics", '# TYPE m summary\nm{quantile="0.5"} 1\nm_count 2\nm_sum 3\n# EOF\n'), ("openmetrics", '# TYPE m summary\nm{quantile="2"} 1\n# EOF\n'),
    ("openmetrics", '# TYPE m info\nm_info{a="b"} 1\n# EOF\n'), ("openmetrics", '# TYPE m info\nm_info{a="b"} 2\n# EOF\n'),
    ("openmetrics", '# TYPE m stateset\nm{m="a"} 1\nm{m="b"} 0\n# EOF\n'), ("openmetrics", "# TYPE m stateset\nm 1\n# EOF\n"),
    ("openmetrics", "m 1\nm 1\n# EOF\n"), ("openmetrics", "m 1 1\nm 2 2\n# EOF\n"), ("openmetrics", "m 1 2\nm 2 1\n# EOF\n"), ("openmetrics", "m 1\nn 1\nm 1\n# EOF\n"),
    ("openmetrics", "# TYPE m gauge\nm 1\n# HELP m x\n# EOF\n"), ("openmetrics", "# TYPE m gauge\n# TYPE m gauge\n# EOF\n"),
    ("openmetrics", "# TYPE m_s gauge\n# UNIT m_s s\n# HELP m_s x\nm_s 1\n# EOF\n"), ("openmetrics", "# HELP m x\n# HELP m y\n# EOF\n"),
    ("openmetrics", '# TYPE m gauge\nm 1 # {a="b"} 1\n# EOF\n'), ("openmetrics", '# TYPE m summary\nm_count 1 # {a="b"} 1\nm_sum 1\n# EOF\n'),
    ("openmetrics", 'm{a="x\ny"} 1\n# EOF\n'), ("openmetrics", "bad\nm 1\n# EOF\n"), ("openmetrics", "m 1\rn 2\n# EOF\n"),
]


# The oracle takes a quoted name in OpenMetrics only when a TYPE came before.
QUOTED_NAMES = ["m.n", "m n", "é日", r"m\"n", r"m\\n", r"m\nn", "m{n", "m}n", "m,n", "m=n", "m#n", " # {", "1"]
TEXTS += [
    ("openmetrics", f'# TYPE "{name}" gauge\n{{"{name}"{labels}}} 1\n# EOF\n')
    for name in QUOTED_NAMES
    for labels in ["", ',a="b"', ',"a.b"="c"']
]


def corpus():
    """Every (format, text), once."""
    lines = [f"m {value}" for value in VALUES]
    lines += [f"m 1 {timestamp}" for timestamp in TIMESTAMPS]
    lines += [f"m{{{braces}}} 1" for braces in BRACES]
    lines += NAMES + BLANKS + COMMENTS
    lines += [f"m_total 1{exemplar}" for exemplar in EXEMPLARS[:4]]
    texts = [("prometheus", line) for line in lines]
    texts += [("openmetrics", f"{line}\n# EOF\n") for line in lines]
    texts += [("openmetrics", f"# TYPE m counter\nm_total 1{exemplar}\n# EOF\n") for exemplar in EXEMPLARS]
    return list(dict.fromkeys(texts + TEXTS))


def number(value):
    """A float as text, since JSON has no NaN; `too large` for Python's unlimited integers."""
    try:
        return repr(float(value))
    except OverflowError:
        return "too large"


def milliseconds(timestamp):
    """Rounded half away from zero, from the exact time where the oracle keeps it."""
    if timestamp is None:
        return None
    if isinstance(timestamp, openmetrics_parser.Timestamp):
        exact = timestamp.sec * 1000 + Fraction(timestamp.nsec, 10**6)
    elif math.isfinite(timestamp):
        exact = Fraction(repr(timestamp)) * 1000
    else:
        return number(timestamp)
    rounded = math.floor(abs(exact) + Fraction(1, 2))
    return rounded if exact >= 0 else -rounded


def sample(sample):
    told = {"name": sample.name, "labels": sample.labels, "value": number(sample.value)}
    if sample.timestamp is not None:
        told["timestamp_ms"] = milliseconds(sample.timestamp)
    if exemplar := sample.exemplar:
        told["exemplar"] = {"labels": exemplar.labels, "value": number(exemplar.value)}
        if exemplar.timestamp is not None:
            told["exemplar"]["timestamp_ms"] = milliseconds(exemplar.timestamp)
    return told


def ask(format, text):
    """What the oracle makes of the text: its samples, or its families if it has no sample."""
    module = {"prometheus": parser, "openmetrics": openmetrics_parser}[format]
    try:
        families = list(module.text_string_to_metric_families(text))
    except Exception as error:  # The oracle fails with whatever its code runs into.
        return {"error": type(error).__name__}
    if samples := [sample(s) for family in families for s in family.samples]:
        return {"samples": samples}
    return {
        "families": [
            {"name": f.name, "type": f.type, "help": f.documentation, "unit": f.unit} for f in families
        ]
    }


def write(path, entries):
    lines = ",\n".join(json.dumps(entry, ensure_ascii=True) for entry in entries)
    path.write_text(f"[\n{lines}\n]\n")
    print(f"{path.name}: {len(entries)} entries")


def main():
    cases = [{"format": f, "text": t, "oracle": ask(f, t)} for f, t in corpus()]
    write(HERE / "exposition_cases.json", cases)
    lines = [
        {"page": page.name, "line": number, "oracle": ask("prometheus", line)}
        for page in sorted(PAGES.glob("*.txt"))
        for number, line in enumerate(page.read_text().split("\n")[:-1], start=1)
    ]
    write(HERE / "exposition_pages.json", lines)


if __name__ == "__main__":
    main()
