package simulator

import (
	"errors"
	"strconv"
	"strings"
)

const (
	maxFilterLength = 8 << 10
	maxFilterDepth  = 64
)

// parseFilter parses a filter. The vendor documents no grammar; this one accepts
// every form that the official clients write:
//
//	or      = and { "or" and }
//	and     = unary { "and" unary }
//	unary   = "not" unary | "(" or ")" | call | field [ op value ]
//	call    = "contains" "(" field "," string ")" | "tags" "(" string "," string ")"
//	field   = name { "." name } [ "[any]" | "[all]" ]
//	op      = "=" | "!=" | "<" | "<=" | ">" | ">="
//	value   = string | number | "true" | "false" | "(" value { "," value } ")"
func parseFilter(text string, fields *field) (expr, error) {
	if len(text) > maxFilterLength {
		return nil, refuse("filter", "Invalid filter: it is longer than %d bytes.", maxFilterLength)
	}
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &filterParser{tokens: tokens, fields: fields}
	e, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.peek().kind != endOfFilter {
		return nil, p.unexpected()
	}
	return e, nil
}

type filterParser struct {
	tokens []token
	at     int
	depth  int
	fields *field
}

func (p *filterParser) peek() token { return p.tokens[p.at] }

func (p *filterParser) next() token {
	t := p.tokens[p.at]
	if t.kind != endOfFilter {
		p.at++
	}
	return t
}

func (p *filterParser) unexpected() error {
	t := p.peek()
	if t.kind == endOfFilter {
		return refuse("filter", "Invalid filter: it ends too early.")
	}
	return refuse("filter", "Invalid filter: unexpected %q at character %d.", t.text, t.offset+1)
}

// accept takes the next token if it is this word or sign.
func (p *filterParser) accept(text string) bool {
	t := p.peek()
	if t.kind == quoted || !strings.EqualFold(t.text, text) || t.kind == endOfFilter {
		return false
	}
	p.at++
	return true
}

func (p *filterParser) expect(text string) error {
	if !p.accept(text) {
		return p.unexpected()
	}
	return nil
}

func (p *filterParser) or() (expr, error) {
	left, err := p.and()
	for err == nil && p.accept("or") {
		var right expr
		right, err = p.and()
		left = either(left, right)
	}
	return left, err
}

func (p *filterParser) and() (expr, error) {
	left, err := p.unary()
	for err == nil && p.accept("and") {
		var right expr
		right, err = p.unary()
		left = both(left, right)
	}
	return left, err
}

func (p *filterParser) unary() (expr, error) {
	if p.depth++; p.depth > maxFilterDepth {
		return nil, refuse("filter", "Invalid filter: it is nested more than %d deep.", maxFilterDepth)
	}
	defer func() { p.depth-- }()
	if p.accept("not") {
		e, err := p.unary()
		return not(e), err
	}
	if p.accept("(") {
		e, err := p.or()
		if err != nil {
			return nil, err
		}
		return e, p.expect(")")
	}
	return p.predicate()
}

func (p *filterParser) predicate() (expr, error) {
	name := p.next()
	if name.kind != word {
		p.at = max(p.at-1, 0)
		return nil, p.unexpected()
	}
	if p.peek().text == "(" && p.peek().kind == sign {
		return p.call(name)
	}
	path, all, err := p.field(name)
	if err != nil {
		return nil, err
	}
	if p.peek().kind != operator {
		return exists(path), nil
	}
	op := p.next().text
	if p.accept("(") {
		return p.members(path, op)
	}
	value, err := p.value()
	return comparison(path, op, value, all), err
}

func (p *filterParser) call(name token) (expr, error) {
	p.next() // the parenthesis
	first := p.next()
	if err := p.expect(","); err != nil {
		return nil, err
	}
	second := p.next()
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	switch {
	case strings.EqualFold(name.text, "tags") && first.kind == quoted && second.kind == quoted:
		return hasTag(first.text, second.text), nil
	case strings.EqualFold(name.text, "contains") && first.kind == word && second.kind == quoted:
		path, _, err := p.field(first)
		return contains(path, second.text), err
	}
	return nil, refuse("filter", "Invalid filter: %s does not take these arguments.", name.text)
}

// field checks that the endpoint has such a field.
func (p *filterParser) field(t token) (path string, all bool, err error) {
	path = strings.TrimSuffix(t.text, "[any]")
	path, all = strings.CutSuffix(path, "[all]")
	if _, known := p.fields.at(path); !known {
		return "", false, refuse("filter", "Invalid filter: unknown field %q.", path)
	}
	return path, all, nil
}

// members reads a list of values. Doubled parentheses, as one client writes
// them, count as one pair.
func (p *filterParser) members(path, op string) (expr, error) {
	if op != "=" && op != "!=" {
		return nil, p.unexpected()
	}
	doubled := p.accept("(")
	var values []any
	for {
		v, err := p.value()
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		if !p.accept(",") {
			break
		}
	}
	if doubled {
		if err := p.expect(")"); err != nil {
			return nil, err
		}
	}
	return membership(path, op, values), p.expect(")")
}

func (p *filterParser) value() (any, error) {
	t := p.peek()
	switch t.kind {
	case quoted:
		p.at++
		return t.text, nil
	case word:
		if b, err := parseBool("filter", t.text); err == nil {
			p.at++
			return b, nil
		}
	case digits:
		if n, ok := parseNumber(t.text); ok {
			p.at++
			return n, nil
		}
	}
	return nil, p.unexpected()
}

func parseNumber(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

type tokenKind int

const (
	endOfFilter tokenKind = iota
	word                  // a field, a keyword, true or false
	digits                // a number
	quoted                // a string, without its quotes
	operator              // = != < <= > >=
	sign                  // ( ) ,
)

type token struct {
	kind   tokenKind
	text   string
	offset int
}

// lex splits a filter into tokens; the last one is endOfFilter.
func lex(text string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(text); {
		t, length, err := lexOne(text[at:])
		if err != nil {
			return nil, refuse("filter", "Invalid filter: %s at character %d.", err, at+1)
		}
		if length > 0 && t.kind != endOfFilter {
			t.offset = at
			tokens = append(tokens, t)
		}
		at += length
	}
	return append(tokens, token{kind: endOfFilter, offset: len(text)}), nil
}

// lexOne reads one token, or white space, whose token has no length.
func lexOne(s string) (token, int, error) {
	switch c := s[0]; {
	case strings.IndexByte(" \t\r\n", c) >= 0:
		return token{}, 1, nil
	case c == '\'' || c == '"':
		return lexQuoted(s, c)
	case strings.IndexByte("(),", c) >= 0:
		return token{kind: sign, text: s[:1]}, 1, nil
	case strings.IndexByte("=<>!", c) >= 0:
		return lexOperator(s)
	case isDigit(c) || c == '-' || c == '+':
		return lexRun(s, digits, func(c byte) bool { return isWordByte(c) || c == '-' || c == '+' })
	case isWordByte(c):
		return lexRun(s, word, func(c byte) bool { return isWordByte(c) || c == '[' || c == ']' })
	}
	return token{}, 0, errors.New("unexpected character")
}

func lexOperator(s string) (token, int, error) {
	if len(s) > 1 && s[1] == '=' && s[0] != '=' {
		return token{kind: operator, text: s[:2]}, 2, nil
	}
	if s[0] == '!' {
		return token{}, 0, errors.New("! without =")
	}
	return token{kind: operator, text: s[:1]}, 1, nil
}

func lexRun(s string, kind tokenKind, include func(byte) bool) (token, int, error) {
	n := 0
	for n < len(s) && include(s[n]) {
		n++
	}
	return token{kind: kind, text: s[:n]}, n, nil
}

// lexQuoted reads a string; a backslash keeps the next character as it is.
func lexQuoted(s string, quote byte) (token, int, error) {
	var text strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote:
			return token{kind: quoted, text: text.String()}, i + 1, nil
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		text.WriteByte(s[i])
	}
	return token{}, 0, errors.New("string without an end")
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWordByte(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c == '.'
}
