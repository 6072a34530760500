package function

import (
	"strings"

	"github.com/poolcast/poolcast/collector/placement/internal/python"
)

// Cinder builds its grammar with pyparsing's infix_notation, which tries the
// alternatives in order and does not backtrack from one that succeeded. The parser
// below does the same, level by level, because the order defines the language:
// "capabilities.a and capabilities.b" calls a function named capabilities.a, since a
// word followed by anything is tried as a call first. (pyparsing 3.3.3 parses by
// another algorithm, with which Cinder's evaluator cannot read any variable; this is
// the algorithm of 3.3.2 and before.)

const (
	maxBytes = 64 << 10

	// What a construct costs of the 3,000 frames that Cinder allows Python's
	// stack, measured. The scheduler's own frames are added, so a
	// function close to the limit may fail there as well.
	frameBudget   = 2990
	framesToStart = 177
	framesOfParen = 164
	framesOfTerm  = 17 // operand of a prefix or right-associative operator
)

type shape uint8

const (
	prefix  shape = iota // op x
	chained              // x op x op x …
	right                // x op (x op …)
	ternary              // x op x op2 x …
)

// level is one precedence. A level's operands are of the level before it.
type level struct {
	shape   shape
	op, op2 scanner
	build   func(terms []term) node
}

// term is an operand with the operator in front of it; the first operand of a
// chain has none.
type term struct {
	at  int    // offset of the operator
	op  string // as written
	x   node
	end int // offset behind the operand; only in a chain
}

// grammar lists the levels, the one that binds tightest first.
func grammar() []level {
	return []level{
		{shape: prefix, op: scanWord, build: buildCall},
		{shape: right, op: oneOf("^"), build: buildPower},
		{shape: prefix, op: oneOf("+", "-"), build: buildSign},
		{shape: chained, op: oneOf("*", "/"), build: buildProduct},
		{shape: chained, op: oneOf("+", "-"), build: buildSum},
		{shape: prefix, op: oneOf("NOT", "not", "!"), build: buildNot},
		{shape: chained, op: oneOf("<=", "<>", "<", ">=", ">", "!=", "=="), build: buildComparison},
		{shape: ternary, op: oneOf("?"), op2: oneOf(":"), build: buildTernary},
		{shape: chained, op: oneOf("AND", "and", "&&"), build: buildAnd},
		{shape: chained, op: oneOf("OR", "or", "||"), build: buildOr},
		{shape: right, op: oneOf(","), build: buildComma},
	}
}

type parser struct {
	text    string
	levels  []level
	parens  map[int]parsed // by offset: each parenthesis is parsed once
	reached int            // the furthest offset at which something was missing
	tooDeep int            // offset at which the budget ran out, or -1
}

type parsed struct {
	node node // nil if it did not parse
	end  int
}

func parse(text string) (node, error) {
	p := &parser{text: text, levels: grammar(), parens: map[int]parsed{}, tooDeep: -1}
	if len(text) > maxBytes {
		return nil, p.fail(maxBytes, &hinted{problem: "the function is longer than 64 KiB"})
	}
	got := p.level(len(p.levels), 0, framesToStart)
	if p.tooDeep >= 0 {
		return nil, p.fail(p.tooDeep, &hinted{
			problem: "nested too deeply: Cinder's evaluator runs out of stack",
			hint:    "keep it below 15 parentheses inside one another",
		})
	}
	end := skipSpace(text, got.end)
	if got.node == nil || end < len(text) {
		at := max(p.reached, end)
		return nil, p.fail(at, problemAt(text, at))
	}
	return got.node, nil
}

func (p *parser) fail(at int, h *hinted) error {
	return &Error{Text: p.text, Column: column(p.text, at), Problem: h.problem, Hint: h.hint}
}

// level parses a part of the first n levels at an offset. The depth is
// what it costs on Cinder's stack.
func (p *parser) level(n, at, depth int) parsed {
	if depth > frameBudget && p.tooDeep < 0 {
		p.tooDeep = at
	}
	if p.tooDeep >= 0 {
		return parsed{}
	}
	if n == 0 {
		return p.primary(at, depth)
	}
	switch l := &p.levels[n-1]; l.shape {
	case prefix:
		return p.prefix(n, at, depth)
	case right:
		return p.right(n, at, depth)
	case ternary:
		return p.chain(n, at, depth, p.arms)
	default:
		return p.chain(n, at, depth, p.link)
	}
}

func (p *parser) prefix(n, at, depth int) parsed {
	l := &p.levels[n-1]
	start := skipSpace(p.text, at)
	if end := l.op(p.text, start); end >= 0 {
		if x := p.level(n, end, depth+framesOfTerm); x.node != nil {
			t := term{at: start, op: p.text[start:end], x: x.node}
			return parsed{l.build([]term{t}), x.end}
		}
	}
	return p.level(n-1, at, depth)
}

func (p *parser) right(n, at, depth int) parsed {
	l := &p.levels[n-1]
	first := p.level(n-1, at, depth)
	if first.node == nil {
		return first
	}
	start := skipSpace(p.text, first.end)
	end := l.op(p.text, start)
	if end < 0 {
		return first
	}
	x := p.level(n, end, depth+framesOfTerm)
	if x.node == nil {
		return first
	}
	t := term{at: start, op: p.text[start:end], x: x.node}
	return parsed{l.build([]term{{at: at, x: first.node}, t}), x.end}
}

// follow parses what may follow the operands so far, appends it, and returns
// the offset behind it or -1.
type follow func(n, at, depth int, terms *[]term) int

func (p *parser) chain(n, at, depth int, next follow) parsed {
	first := p.level(n-1, at, depth)
	if first.node == nil {
		return first
	}
	terms := []term{{at: at, x: first.node, end: first.end}}
	end := first.end
	for {
		after := next(n, end, depth, &terms)
		if after < 0 {
			break
		}
		end = after
	}
	if len(terms) == 1 {
		return first
	}
	return parsed{p.levels[n-1].build(terms), end}
}

// link is one more operator and operand of a chain.
func (p *parser) link(n, at, depth int, terms *[]term) int {
	start, end := p.operator(p.levels[n-1].op, at)
	if end < 0 {
		return -1
	}
	x := p.level(n-1, end, depth)
	if x.node == nil {
		return -1
	}
	*terms = append(*terms, term{at: start, op: p.text[start:end], x: x.node, end: x.end})
	return x.end
}

// arms are one more "? x : x".
func (p *parser) arms(n, at, depth int, terms *[]term) int {
	got := *terms
	after := p.link(n, at, depth, &got)
	if after < 0 {
		return -1
	}
	start, end := p.operator(p.levels[n-1].op2, after)
	if end < 0 {
		return -1
	}
	x := p.level(n-1, end, depth)
	if x.node == nil {
		return -1
	}
	got = append(got, term{at: start, op: p.text[start:end], x: x.node})
	*terms = got
	return x.end
}

func (p *parser) operator(scan scanner, at int) (start, end int) {
	start = skipSpace(p.text, at)
	return start, scan(p.text, start)
}

// primary parses a number, a word, a quoted text or a parenthesis.
func (p *parser) primary(at, depth int) parsed {
	start := skipSpace(p.text, at)
	for _, scan := range [...]scanner{scanNumber, scanWord, scanQuoted} {
		if end := scan(p.text, start); end >= 0 {
			return parsed{buildOperand(p.text[start:end], start), end}
		}
	}
	if start < len(p.text) && p.text[start] == '(' {
		return p.paren(start, depth)
	}
	p.reached = max(p.reached, start)
	return parsed{}
}

func (p *parser) paren(start, depth int) parsed {
	if got, ok := p.parens[start]; ok {
		return got
	}
	got := p.level(len(p.levels), start+1, depth+framesOfParen)
	if got.node != nil {
		end := skipSpace(p.text, got.end)
		if end < len(p.text) && p.text[end] == ')' {
			got.end = end + 1
		} else {
			p.reached = max(p.reached, end)
			got = parsed{}
		}
	}
	p.parens[start] = got
	return got
}

// The scanners below take a text and an offset and return the offset behind
// the token, or -1. Space in front of a token is skipped, as pyparsing does it. What
// a token is depends on the level of the grammar, so that "nothing" is a name in one
// place and a "not" before "hing" in another.

type scanner func(text string, at int) int

func skipSpace(text string, at int) int {
	for at < len(text) && strings.IndexByte(" \n\r\t", text[at]) >= 0 {
		at++
	}
	return at
}

// oneOf scans the first of the given literals that is there. A longer
// one must be before its own prefix.
func oneOf(literals ...string) scanner {
	return func(text string, at int) int {
		for _, l := range literals {
			if strings.HasPrefix(text[at:], l) {
				return at + len(l)
			}
		}
		return -1
	}
}

func isWordByte(c byte) bool {
	return c == '.' || c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// scanWord scans a name of a variable or function: letters, underscores and
// points, and no digits.
func scanWord(text string, at int) int {
	end := at
	for end < len(text) && isWordByte(text[end]) {
		end++
	}
	if end == at {
		return -1
	}
	return end
}

// scanNumber scans digits, or digits, a point and digits. There is no
// exponent, and neither side of the point may be empty.
func scanNumber(text string, at int) int {
	rest, whole := python.SkipDigits(text[at:])
	if whole == 0 {
		return -1
	}
	if strings.HasPrefix(rest, ".") {
		if _, fraction := python.SkipDigits(rest[1:]); fraction > 0 {
			return at + whole + 1 + fraction
		}
	}
	return at + whole
}

// scanQuoted scans text in quotes of either kind. A doubled quote and an
// escaped character belong to the text. It reads as much as it can before the
// closing quote, so "a"" is not closed.
func scanQuoted(text string, at int) int {
	if at >= len(text) || text[at] != '"' && text[at] != '\'' {
		return -1
	}
	quote := text[at]
	for at++; at < len(text); {
		n := quotedUnit(text[at:], quote)
		if n == 0 {
			break
		}
		at += n
	}
	if at < len(text) && text[at] == quote {
		return at + 1
	}
	return -1
}

// quotedUnit is the length of the next piece inside quotes, 0 if there is none.
func quotedUnit(s string, quote byte) int {
	switch s[0] {
	case '\n', '\r':
		return 0
	case quote:
		if len(s) > 1 && s[1] == quote {
			return 2
		}
		return 0
	case '\\':
		return escapeLength(s)
	}
	return 1
}

func escapeLength(s string) int {
	if len(s) < 2 {
		return 0
	}
	if s[1] != 'x' {
		return 2
	}
	if len(s) < 3 || !isHex(s[2]) {
		return 0
	}
	return 3
}

func isHex(c byte) bool {
	return python.IsDigit(c) || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// isName reports whether a word is read as a variable: letters, one point,
// letters. Any other word is text.
func isName(word string) (Name, bool) {
	scope, key, ok := strings.Cut(word, ".")
	if !ok || scope == "" || key == "" || strings.Contains(key, ".") {
		return Name{}, false
	}
	return Name{Scope: scope, Key: key}, true
}
