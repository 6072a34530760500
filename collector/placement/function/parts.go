package function

import "strings"

// span is a part of a text, from an offset to the one behind it.
type span struct{ start, end int }

// Part is an operand of an "and", and its value.
type Part struct {
	Text  string // as it is written, without parentheses around it
	Value Operand
	Slots []int // of the names that it reads, in their order; see Function.Names
}

// Untrue lists what keeps a function from being true: where it is "a and b", those of
// the two that are not true, and of those which are such a conjunction themselves again
// their operands. Any other function is its only part. There is none if the function is
// true or fails. See [Function.Run] for the slots.
func (f *Function) Untrue(slots []Operand) []Part {
	if v, err := f.root.eval(slots); err != nil || v.Truth() {
		return nil
	}
	return f.untrue(nil, f.root, span{0, len(f.text)}, slots)
}

func (f *Function) untrue(parts []Part, n node, at span, slots []Operand) []Part {
	if j, ok := n.(*junction); ok && j.and {
		parts = f.untrue(parts, j.left, j.spans[0], slots)
		return f.untrue(parts, j.right, j.spans[1], slots)
	}
	v, err := n.eval(slots)
	if err != nil || v.Truth() {
		return parts
	}
	p := Part{Text: withoutParentheses(f.text[at.start:at.end]), Value: v}
	used := map[int]bool{}
	walk(n, func(n node) {
		if v, ok := n.(*variable); ok {
			used[v.slot] = true
		}
	})
	for slot := range f.names {
		if used[slot] {
			p.Slots = append(p.Slots, slot)
		}
	}
	return append(parts, p)
}

// withoutParentheses removes spaces and parentheses around a whole part.
func withoutParentheses(text string) string {
	text = strings.TrimSpace(text)
	for strings.HasPrefix(text, "(") && closing(text) == len(text)-1 {
		text = strings.TrimSpace(text[1 : len(text)-1])
	}
	return text
}

// closing is the offset of the parenthesis that closes the one at the beginning, -1 if
// there is none.
func closing(text string) int {
	depth := 0
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return at
			}
		case '"', '\'':
			if end := scanQuoted(text, at); end > 0 {
				at = end - 1
			}
		}
	}
	return -1
}
