"""Random and hand-picked requests for Cinder's scheduler.

Nothing here imports Cinder: this module makes the requests, and vectors.py has
Cinder decide them. Everything is drawn from the random.Random that is passed,
so that a seed makes the same requests everywhere.
"""

OPERATORS = ["=", "==", "!=", ">=", "<=", "<in>", "<is>", "<or>", "s==", "s!=",
             "s<", "s<=", "s>", "s>=", "<all-in>", "<", ">", "<in", "S==",
             "<IS>", "<or>x", ""]

WORDS = ["iSCSI", "iscsi", "FC", "fibre_channel", "NVMe-oF", "True", "False",
         "true", "yes", "on", "T", "0", "1", "5", "5.0", "800", "912", "-3",
         "1e3", "1_000", "1__0", "_1", "inf", "-Infinity", "nan", "0x10",
         ".5", "5.", "+7", "٥", "１２", "é", "pure", "Pure Storage", "async",
         "sync", "gold", "X50", "FA-X50R4", "<or>", "a", "b", "None", "null"]

SPACES = [" ", "  ", "\t", "\n", "\u00a0", "\u3000", "\x1f", "\x1c ", ""]

VALUES = [None, True, False, 0, 1, -3, 5, 800, 912, 5.0, 0.35, -0.0, 1e16,
          1e-5, 123456789012345678901234567890, 9007199254740993, "", " ",
          "5", " 5 ", "5.0", "1_000", "1e3", "inf", "nan", "٥", "True",
          "true", "yes ", "FA-X50R4", "iSCSI", "pure", "é", "<is> True",
          "<or> a", "<or>", ">= 5", "None", [], ["iSCSI", "iscsi"], ["a", 5],
          [None], [["a"], "b"], [5], {}, {"a": 1, "X50": None}, {"5": "5"},
          "a b", "\u00a05\u00a0", "+7", "0x10", "-0", "infinity"]

REQUIREMENTS = [
    None, "", " ", "<or>", "<or> ", "<in>", "<is>", "s==", "==", "s!=", "=",
    "<= 800", "<=800", "<= 800 912", "> 5", "< 5", "!= 5", "!= five", "= 5",
    "<is> True", "<is>True", "<is> true", "<is> nonsense", "<is>  y ",
    "True", "False", "5", "5.0", "None", "<in> X50", "<in> x50", "<in> a b",
    "<or> FC <or> iSCSI", "<or> FC iSCSI", "<or> FC <or>", "<or> a b c d",
    "<or>FC", "<or> 5 <or> 912", "s== iSCSI", "s== a b", "s< b", "s>= a",
    "s<= é", "s> 5", "<all-in> a", "<all-in> a <all-in> b", "== nan",
    "!= nan", "<= inf", ">= -inf", "== 1_000", "== 1__0", "== ٥", "== 0x10",
    "\u00a0<=\u00a0800", "\u3000== 5", "<=\x1f800", "iSCSI ", " iSCSI",
    "<or> <or>", "<or> <or> <or>", "== 9007199254740992", ">= 1e400",
]


def match_case(rng):
    """A capability and a requirement that are often related."""
    value = rng.choice(VALUES)
    if rng.random() < 0.4:
        return {"value": value, "requirement": rng.choice(REQUIREMENTS)}
    words = [fitting_operator(rng, value)]
    for _ in range(rng.choice([0, 1, 1, 1, 2, 3, 4])):
        words.append(related_word(rng, value))
        if words[0] == "<or>" and rng.random() < 0.8:
            words.append("<or>")
    text = rng.choice([" "] * 8 + SPACES).join(words)
    if rng.random() < 0.1:
        text = rng.choice(SPACES) + text + rng.choice(SPACES)
    return {"value": value, "requirement": text}


def fitting_operator(rng, value):
    r = rng.random()
    if r < 0.3:
        return rng.choice(OPERATORS)
    if isinstance(value, (bool, int, float)):
        return rng.choice(["=", "==", "!=", ">=", "<=", "<is>"])
    if isinstance(value, str):
        return rng.choice(OPERATORS[5:14])
    return rng.choice(["<in>", "<is>", "s!=", ""])


def related_word(rng, value):
    if isinstance(value, (list, dict)) and value and rng.random() < 0.6:
        value = rng.choice(list(value))
    if rng.random() < 0.5 and not isinstance(value, (list, dict)):
        return str(value)
    return rng.choice(WORDS)


CAPABILITIES = {
    "total_volumes": 912, "load_percent": 7, "usec_per_write_op": 153,
    "usec_per_read_op": 0, "free_capacity_gb": 512.75,
    "total_capacity_gb": 1000.0, "negative": -12, "avg_latency_ms": 0.99,
    "data_reduction": 4.6, "huge": 2 ** 70, "edge": 2 ** 63 - 1,
    "below": -2 ** 63, "big_float": 1.5e300, "wide_float": 1e19,
    "enabled": True, "disabled": False, "nothing": None,
    "protocol": "iSCSI", "empty": "", "quoted": "it's \"so\"",
    "numeric": "12", "padded": " 1_000 ", "decimal": "2.5", "expo": "1e3",
    "infinite": "inf", "nan": "nan", "arabic": "٥", "word": "gold",
    "protocols": ["iSCSI", "iscsi"], "nested": {"a": 1}, "p99_usec": 5,
    "with-dash": 1, "minus": "-7", "spaces": "  ", "unknown": "unknown",
}


def variables(rng):
    """The dictionaries a filter or goodness function reads."""
    capabilities = dict(CAPABILITIES)
    for key in ("total_volumes", "load_percent", "usec_per_write_op"):
        capabilities[key] = rng.choice([0, 1, rng.randrange(2000)])
    return {
        "capabilities": capabilities,
        "stats": {"free_capacity_gb": rng.randrange(5000) + 0.5,
                  "total_capacity_gb": rng.choice(["infinite", 5000]),
                  "allocated_capacity_gb": rng.randrange(900),
                  "reserved_percentage": rng.choice([0, 5, 20]),
                  "host": "ctl1@pure_a#gold", "cluster_name": None},
        "volume": {"size": rng.randrange(1, 2000), "name": "vol-1",
                   "bootable": rng.choice([True, False]), "metadata": {}},
        "extra": {"multiattach": "<is> True", "tier": "gold", "weight": "3"},
        "qos": rng.choice([None, {"maxIOPS": "500", "maxBWS": 100}]),
    }


EXPRESSIONS = [
    "", " ", "()", "1", "007", "1.5", "1.", ".5", "1.5.5", "1e3", "1_000",
    "inf", "nan == nan", "-inf < 5", "True", "true == 1", "None", "x", "a.b",
    "a.b.c", ".a", "a.", "_._", "capabilities", "capabilities.",
    "capabilities.p99_usec", "capabilities.with-dash", "capabilities.nested",
    "capabilities.protocols", "capabilities.nothing", "capabilities.missing",
    "volume.metadata", "qos.maxIOPS > 100", "other.thing", "stats.host",
    "capabilities.total_volumes and capabilities.load_percent",
    "(capabilities.total_volumes) and (capabilities.load_percent)",
    "capabilities.total_volumes && capabilities.load_percent",
    "5 < capabilities.load_percent and 3 < volume.size",
    "volume.size < 5 and volume.size > 1", "not volume.size == 5",
    "!volume.size == 5", "!(volume.size == 5)", "not(volume.size == 5)",
    "NOT 0", "NOT0", "not0", "nothing.x", "notcapabilities.numeric",
    "order.x", "android.x", "1 and2", "1and 2", "1 AND 2", "1 And 2",
    "1 or 0 or 3", "0 or 0 or 3", "1 and 1 and 0", "1 && 2 || 3", "0 || 'x'",
    "1 || 1/0", "0 && 1/0", "1 ? 2 : 3", "0 ? 2 : 3", "1 ? 2", "1 ? 2 :",
    "0 ? 1 : 0 ? 5 : 6", "1 ? 1 ? 2 : 3 : 4", "1 ? (0 ? 2 : 3) : 4",
    "1 ? 2 and 3 : 4", "1 and 0 ? 2 : 3", "1 < 2 ? 'a' : 'b'",
    "1 ? 2 : 1/0", "0 ? 1/0 : 2", "1 ? 2 : capabilities.missing",
    "1 ? sqrt(4) : 2", "0 ? sqrt(4) : 2", "1 < 2 < 3", "1 < 3 < 2 < 1/0",
    "3 > 2 > 1 == 1", "1 == 1 != 2", "1 <> 2", "1 < > 2", "1 = 1", "1 => 1",
    "1 <- 2", "1 < -2", "1 === 1", "5 == 5.0", "9007199254740993 == "
    "9007199254740992.0", "'a' < 'b'", "'a' < 1", "'a' == 1", "'a' != 1",
    "'1' == 1", "\"a\" == 'a'", "'é' > 'z'", "'' == \"\"", "'it''s'",
    "\"a\"\"", "'a\\'b'", "'a\\\\'", "'\\x4'", "'\\x'", "'a\nb'", "'a",
    "'a'b", "'a\tb'", "\t1\t+\t1", "1\r\n+ 1", "1\f+ 1", "1 + 1;", "-2 ^ 2",
    "(-2) ^ 2", "2 ^ -1", "2 ^ (-1)", "2 ^ 3 ^ 2", "(2 ^ 3) ^ 2", "0 ^ 0",
    "0 ^ (-1)", "0.0 ^ (-1)", "2 ^ 0.5", "10 ^ 400 > 1", "10.0 ^ 400",
    "10 ^ 400 / 1", "10 ^ 400 + 0.5", "10 ^ 400 == 10.0", "2 ^ 64",
    "9223372036854775807 + 1", "-9223372036854775807 - 2",
    "9223372036854775807 * 9223372036854775807", "capabilities.below * -1",
    "abs(capabilities.below)", "capabilities.huge - capabilities.huge",
    "capabilities.huge / 2", "capabilities.big_float * 1",
    "capabilities.big_float / 3", "1 / 3", "1 / 0", "1.0 / 0", "0 / 5",
    "6 / 2 / 3", "6 / 2 * 3", "4 / '2'", "4 / 'x'", "'4' / 2", "4 * '2'",
    "'' * 9223372036854775808", "'a' * -9223372036854775809",
    "9223372036854775808 * ''", "100, '' * 123456789012345678901",
    "(1, 2) * -9223372036854775809", "'' * -9223372036854775808",
    "'ab' * -1", "'ab' * 2.0", "'a' * 'b'", "'a' + 'b'", "'a' - 'b'",
    "'a' + 1", "1 + 'a'", "-'abc'", "+'abc'", "--5", "-+-5", "1--1",
    "1 - - 1", "+", "- -", "1 + + 2", "1 2", "(1)(2)", "((1)", "(1))", "1,2",
    "1, 2, 3", "(1, 2), 3", "1, (2, 3)", "(1, 2) + (3, 4)", "(1, 2) + 'ab'",
    "(1, 2) + 5", "(1, 2) * 2", "2 * (1, 2)", "-(1, 2)", "+(1, 2)",
    "(1, 2) == (1, 2)", "(1, 2) < (1, 3)", "(1, 2) < (1, 'a')",
    "(1, 2) < 5", "!(1, 2)", "(1, 2) and 5", "max(1, 2)", "max(2)",
    "max('abc')", "min('abc')", "max('')", "max('a', 'b')", "max('a', 1)",
    "max(1, 1.0)", "max(1.0, 1)", "max(1 < 2, 1)", "min(nan, 1)",
    "min(1, nan)", "max((1, 2), 3)", "max(1, (2, 3))", "max(-(1, 2))",
    "max((1, 2) + (3, 4))", "max 1, 2", "max(1, 2), 3", "max(,1)", "max()",
    "abs(-3)", "abs -3", "abs 3", "abs abs(-3)", "abs(1, 2)", "abs('a')",
    "abs(1 < 2)", "-abs(-3)", "abs(-3) ^ 2", "abs(-2.5)", "sqrt(4)",
    "MAX(1, 2)", "capabilities.load_percent(5)", "max (1, 2) * 2",
    "min(1, max(2, 3))", "1 < 2 + True", "(1 < 2) + 1", "(1 < 2) * 2.5",
    "(1 < 2) / (1 < 2)", "-(1 < 2)", "!1 + 1", "! ! 1", "!!0", "!''",
    "!'a'", "!0.0", "1 % 2", "1 & 1", "1 | 1", "~1", "5 > 3 ? 100 : 50",
    "capabilities.protocol == 'iSCSI'", "capabilities.protocol == iSCSI",
    "capabilities.quoted", "capabilities.quoted == 'its so'",
    "capabilities.avg_latency_ms", "capabilities.avg_latency_ms * 1000",
    "capabilities.enabled == True", "capabilities.enabled == 1",
    "capabilities.enabled ? 100 : 0", "capabilities.numeric + 1",
    "capabilities.padded + 1", "capabilities.decimal + 1",
    "capabilities.expo == 1000", "capabilities.infinite > 5",
    "capabilities.infinite - capabilities.infinite == 0",
    "capabilities.nan < 5", "capabilities.arabic * 2", "capabilities.empty",
    "capabilities.minus", "capabilities.spaces", "capabilities.wide_float",
    "stats.total_capacity_gb", "stats.cluster_name", "extra.tier == 'gold'",
    "extra.weight * 10", "extra.multiattach == '<is> True'", "volume.bootable",
    "100 * (1 / max(capabilities.usec_per_write_op, 1))",
    "(capabilities.load_percent < 50) and (volume.size < 1000)",
    "((1 - (capabilities.load_percent / 100)) * 100)",
    "100 - min(capabilities.load_percent, 100)",
    "(stats.free_capacity_gb / 5000) * 100",
    "capabilities.total_volumes < 900 ? 100 - capabilities.load_percent : 0",
    "volume.size <= 10 || capabilities.load_percent < 5 ? 1 : 0",
    "(" * 12 + "1" + ")" * 12, "(" * 25 + "1" + ")" * 25, "-" * 100 + "1",
    "max(" * 10 + "1, 2" + ", 3)" * 9 + ")", "1" + " + 1" * 300,
    "max(" + ", ".join("%d" % i for i in range(40)) + ")",
    "9" * 4300 + " > 1", "9" * 4301 + " > 1", "1" * 400 + ".5 > 1",
]


TOKENS = ["1", "2.5", "0", "'a'", "a.b", "volume.size", "max", "abs", "min",
          "not", "!", "and", "&&", "or", "||", "AND", "NOT", "OR", "(", ")",
          "(", ")", "+", "-", "*", "/", "^", "<", "<=", "==", "!=", "<>", "?",
          ":", "? 1 :", ",", "max(", "not(", "inf", "(1, 2)", "notorious.x",
          "capabilities.load_percent"]


def soup(rng):
    """Tokens in random order, for the parser."""
    return "".join(rng.choice(TOKENS) + rng.choice(["", " ", " "])
                   for _ in range(rng.randrange(2, 9)))


def expression(rng):
    """A random expression, sometimes with a typing error."""
    if rng.random() < 0.1:
        return soup(rng)
    text = Grammar(rng).top()
    if rng.random() < 0.12:
        at = rng.randrange(len(text) + 1)
        drop = rng.choice([0, 1, 1, 2])
        text = text[:at] + rng.choice(["", "", "(", ")", " ", "'", "=", "!",
                                       "7", ".", ",", "and "]) + text[at + drop:]
    return text


class Grammar:
    """Writes expressions that mostly parse."""

    # Mostly numbers, so that there is a result.
    NAMES = (["capabilities." + k for k in CAPABILITIES if k.isidentifier()] +
             ["extra.tier", "capabilities.oops", "stats.total_capacity_gb"] +
             ["capabilities.usec_per_write_op", "volume.size",
              "capabilities.load_percent", "capabilities.total_volumes",
              "stats.free_capacity_gb", "extra.weight", "volume.bootable",
              "stats.reserved_percentage", "capabilities.data_reduction",
              "capabilities.negative", "capabilities.decimal"] * 12)

    def __init__(self, rng):
        self.rng = rng

    def top(self):
        return self.pick([(4, self.number), (3, self.condition),
                          (3, self.choice), (2, self.junction),
                          (1, self.comma)], 3)

    def pick(self, weighted, depth):
        weights, makers = zip(*weighted)
        return self.rng.choices(makers, weights)[0](depth)

    def gap(self):
        return self.rng.choice([" ", " ", " ", "", "  ", "\n"])

    def join(self, *parts):
        return self.gap().join(parts)

    def paren(self, text):
        return "(" + text + ")"

    def number(self, depth):
        if depth <= 0 or self.rng.random() < 0.2:
            return self.leaf(depth)
        return self.pick([(3, self.leaf), (4, self.arithmetic),
                          (2, self.call), (1, self.sign), (1, self.power),
                          (2, self.wrapped)], depth)

    def leaf(self, _):
        r = self.rng.random()
        if r < 0.4:
            return self.rng.choice(self.NAMES)
        if r < 0.7:
            return str(self.rng.choice([0, 1, 2, 3, 10, 50, 100, 999]))
        if r < 0.96:
            return "%.2f" % self.rng.uniform(0, 100)
        return self.rng.choice(["'iSCSI'", '"gold"', "''", "'12'", "gold",
                                "inf", "True", "123456789012345678901"])

    def wrapped(self, depth):
        return self.paren(self.pick([(5, self.number), (2, self.condition),
                                     (2, self.choice), (1, self.junction),
                                     (1, self.comma)], depth - 1))

    def arithmetic(self, depth):
        parts = [self.number(depth - 1)]
        for _ in range(self.rng.choice([1, 1, 2, 3])):
            parts += [self.rng.choice("+-*/"), self.number(depth - 1)]
        return self.join(*parts)

    def power(self, depth):
        return self.join(self.rng.choice(["2", "10", "volume.size", "0.5"]),
                         "^", self.rng.choice(["2", "3", "0", "0.5", "(-1)",
                                               "-1", "(1 - 2)", "2 ^ 2"]))

    def sign(self, depth):
        return self.rng.choice(["-", "+", "- ", "--"]) + self.number(depth - 1)

    def call(self, depth):
        name = self.rng.choice(["min", "max", "max", "abs", "min", "round"]
                               if self.rng.random() < 0.3
                               else ["min", "max", "abs"])
        count = 1 if name == "abs" else self.rng.choice([2, 2, 2, 3, 1])
        return name + self.gap() + self.paren(
            ", ".join(self.number(depth - 1) for _ in range(count)))

    def condition(self, depth):
        parts = [self.number(depth - 1)]
        for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
            parts += [self.rng.choice(["<", "<=", ">", ">=", "==", "!=",
                                       "<>"]), self.number(depth - 1)]
        text = self.join(*parts)
        if self.rng.random() < 0.15:
            text = self.rng.choice(["!", "not ", "NOT", "!!"]) + self.paren(text)
        return text

    def choice(self, depth):
        parts = [self.condition(depth - 1), "?", self.number(depth - 1), ":",
                 self.number(depth - 1)]
        if self.rng.random() < 0.15:
            parts += ["?", self.number(0), ":", self.number(0)]
        return self.join(*parts)

    def junction(self, depth):
        parts = [self.paren(self.condition(depth - 1))]
        for _ in range(self.rng.choice([1, 1, 2])):
            side = self.condition(depth - 1)
            if self.rng.random() < 0.6:
                side = self.paren(side)
            parts += [self.rng.choice(["and", "or", "&&", "||", "AND", "OR"]),
                      side]
        return self.join(*parts)

    def comma(self, depth):
        return ", ".join(self.number(depth - 1)
                         for _ in range(self.rng.choice([2, 2, 3])))
