package simulator

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed schema.txt
var schemaText string

//go:embed schema_lists.txt
var listsText string

// builtinSchema is parsed once, on first use, and never written afterwards.
var builtinSchema = sync.OnceValues(func() (schema, error) { return parseSchema(schemaText + listsText) })

// schema has for every endpoint the version that introduced it, and those that
// introduced its query parameters and fields.
type schema map[string]*endpoint

type endpoint struct {
	path     string
	since    int
	total    bool
	writable bool // writable arrays only have it
	lacks    []string
	params   map[string]int
	fields   *field
}

// field is a node of an item's tree of fields.
type field struct {
	since    int
	children map[string]*field
}

// commonParams are parameters of every list.
var commonParams = []string{"filter", "limit", "offset", "sort", "total_item_count"}

func parseSchema(text string) (schema, error) {
	all := schema{}
	var current *endpoint
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		var err error
		if line[0] == '[' {
			current, err = parseEndpoint(line)
		} else {
			err = current.parseLine(line)
		}
		if err != nil {
			return nil, fmt.Errorf("read schema line %d: %w", n+1, err)
		}
		all[current.path] = current
	}
	return all, nil
}

func parseEndpoint(line string) (*endpoint, error) {
	path, rest, ok := strings.Cut(line[1:], "]")
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		return nil, fmt.Errorf("%q is not of the form [endpoint] since", line)
	}
	since, err := strconv.Atoi(words[0])
	if err != nil {
		return nil, err
	}
	e := &endpoint{path: path, since: since, params: map[string]int{}, fields: &field{}}
	for _, p := range commonParams {
		e.params[p] = since
	}
	e.total, e.writable = slices.Contains(words, "total"), slices.Contains(words, "writable")
	for _, word := range words {
		if member, ok := strings.CutPrefix(word, "-"); ok {
			e.lacks = append(e.lacks, member)
		}
	}
	return e, nil
}

func (e *endpoint) parseLine(line string) error {
	head, rest, _ := strings.Cut(line, ":")
	number, isParam := strings.CutPrefix(head, "? ")
	since, err := strconv.Atoi(number)
	if err != nil || e == nil {
		return fmt.Errorf("%q has no version or no endpoint above it", line)
	}
	for _, word := range strings.Fields(rest) {
		if isParam {
			e.params[word] = since
			continue
		}
		for _, path := range expandBraces(word) {
			e.fields.add(strings.Split(path, "."), since)
		}
	}
	return nil
}

// accepts reports whether a query parameter exists in a version.
func (e *endpoint) accepts(param string, version int) bool {
	since, known := e.params[param]
	return known && since <= version
}

// expandBraces turns a.{b,c} into a.b and a.c.
func expandBraces(word string) []string {
	prefix, list, ok := strings.Cut(word, "{")
	if !ok {
		return []string{word}
	}
	names := strings.Split(strings.TrimSuffix(list, "}"), ",")
	for i := range names {
		names[i] = prefix + names[i]
	}
	return names
}

// add sets the version of a parent to that of its oldest child.
func (f *field) add(path []string, since int) {
	if f.children == nil {
		f.children = map[string]*field{}
	}
	child, ok := f.children[path[0]]
	if !ok {
		child = &field{since: since}
		f.children[path[0]] = child
	}
	child.since = min(child.since, since)
	if len(path) > 1 {
		child.add(path[1:], since)
	}
}

// at finds the node at a dotted path.
func (f *field) at(path string) (*field, bool) {
	for path != "" {
		name, rest, _ := strings.Cut(path, ".")
		child, ok := f.children[name]
		if !ok {
			return nil, false
		}
		f, path = child, rest
	}
	return f, true
}

// trim removes the fields that a version does not have yet. Fields that are not in
// the schema stay: a recording of a newer array may have them.
func (f *field) trim(o object, version int) {
	for name, value := range o {
		child, ok := f.children[name]
		if !ok {
			continue
		}
		if child.since > version {
			delete(o, name)
			continue
		}
		child.trimValue(value, version)
	}
}

func (f *field) trimValue(value any, version int) {
	switch v := value.(type) {
	case object:
		f.trim(v, version)
	case []any:
		for _, element := range v {
			f.trimValue(element, version)
		}
	}
}

// parseVersion returns N of "2.N".
func parseVersion(s string) (int, bool) {
	minor, ok := strings.CutPrefix(s, "2.")
	n, err := strconv.Atoi(minor)
	return n, ok && err == nil && n >= 0 && strconv.Itoa(n) == minor
}
