package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// scanner reads one file by the rules of oslo_config/iniparser.py. That parser
// stops at the first fault; this one records it and continues.
type scanner struct {
	*layer
	lines   []string
	record  *record
	section *section // nil before the first header
	name    string   // of the section, as written last
	// skipIndented is set after a line that cannot be continued, so that one
	// mistake with ten indented lines under it is one fault.
	skipIndented bool
}

// scan reads a whole file.
func scan(path string, rank int, text string, r *record) *layer {
	s := &scanner{layer: &layer{path: path, rank: rank, sections: map[string]*section{}}, record: r}
	s.lines = s.split(text)
	for i := 0; i < len(s.lines); {
		i = s.step(i)
	}
	return s.layer
}

// split cuts the text into lines as Python's text mode does.
func (s *scanner) split(text string) []string {
	if rest, found := strings.CutPrefix(text, "\ufeff"); found {
		text = rest
		s.record.warn(s.at(1, ""), "file starts with a byte order mark, which is ignored", "refuses the whole file", "Save the file without it.")
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !utf8.ValidString(line) {
			s.fault(i+1, "", "Save the file as UTF-8.", errors.New("line is not valid UTF-8"))
			lines[i] = strings.ToValidUTF8(line, "?")
		}
	}
	return lines
}

// step reads the assignment, header or comment at line i and returns the next line.
func (s *scanner) step(i int) int {
	line := rstrip(s.lines[i])
	switch {
	case line == "":
		s.skipIndented = false
	case isIndented(line):
		s.strayContinuation(i)
	case line[0] == '[':
		s.header(i, line)
	case line[0] == '#', line[0] == ';':
		s.skipIndented = false
	default:
		return s.assignment(i, line)
	}
	return i + 1
}

func (s *scanner) strayContinuation(i int) {
	if s.skipIndented {
		return
	}
	s.skipIndented = true
	s.fault(i+1, "", "Start the line in the first column, or remove the blank line or comment before it, which ends the value.",
		errors.New("indented line does not continue a value, and Cinder refuses the file"))
}

func (s *scanner) header(i int, line string) {
	s.skipIndented = true
	if !strings.HasSuffix(line, "]") {
		if name, _, closed := strings.Cut(line[1:], "]"); closed && name != "" {
			s.name, s.section = name, s.open(name, i+1) // the lines below belong to it
		}
		s.fault(i+1, "", "Write [name] alone on its line; a comment goes on a line of its own.",
			fmt.Errorf("section header does not end with ], and Cinder refuses the file: %s", redact(line)))
		return
	}
	if len(line) <= 2 {
		s.fault(i+1, "", "Write [name].", errors.New("section header has no name, and Cinder refuses the file"))
		return
	}
	s.skipIndented = false
	s.name = line[1 : len(line)-1]
	s.section = s.open(s.name, i+1)
}

// assignment reads the key, the value and its continuation lines.
func (s *scanner) assignment(i int, line string) int {
	s.skipIndented = true
	at := strings.IndexAny(line, ":=")
	if at < 0 {
		s.fault(i+1, "", "Write key = value; a line that continues a value starts with a space.",
			fmt.Errorf("line has neither = nor :, and Cinder refuses the file%s", quotePunctuation(line)))
		return i + 1
	}
	key := strip(line[:at])
	first, quoted := unquote(strip(line[at+1:]))
	parts, next := s.continuation(first, i+1)
	if key == keyExtraCapabilities {
		parts, next = s.joinJSON(i+1, parts, next)
	}
	switch {
	case key == "":
		s.fault(i+1, "", "Write key = value.", errors.New("value has no key, and Cinder refuses the file"))
	case s.section == nil:
		s.fault(i+1, key, "Write [DEFAULT] above it.", errors.New("is before the first section, and Cinder refuses the file"))
	default:
		s.section.add(key, rawValue{text: strings.Join(parts, "\n"), quoted: quoted, at: s.at(i+1, key).at})
	}
	return next
}

func (s *scanner) continuation(first string, next int) (parts []string, after int) {
	parts = []string{first}
	for ; next < len(s.lines); next++ {
		line := rstrip(s.lines[next])
		if line == "" || !isIndented(line) {
			break
		}
		parts = append(parts, strip(line))
	}
	return parts, next
}

func (s *scanner) at(line int, key string) subject {
	return subject{at: place{file: s.path, line: line, rank: s.rank}, stanza: s.name, key: key}
}

func (s *scanner) fault(line int, key, hint string, err error) {
	s.record.fault(s.at(line, key), hint, err)
}

// unquote removes one pair of equal quotes, as iniparser does.
func unquote(value string) (string, bool) {
	if value == "" || (value[0] != '"' && value[0] != '\'') || value[0] != value[len(value)-1] {
		return value, false
	}
	if len(value) == 1 {
		return "", true
	}
	return value[1 : len(value)-1], true
}

func isIndented(line string) bool { return line[0] == ' ' || line[0] == '\t' }

// isSpace is Python's str.isspace.
func isSpace(r rune) bool { return unicode.IsSpace(r) || (r >= 0x1c && r <= 0x1f) }

func strip(s string) string { return strings.TrimFunc(s, isSpace) }

func rstrip(s string) string { return strings.TrimRightFunc(s, isSpace) }

// maxJSONLines limits the length of a JSON value without indentation.
const maxJSONLines = 500

var (
	// Lines of cinder.conf that are not lines of JSON.
	assignmentLine = regexp.MustCompile(`^[A-Za-z_][\w.-]*\s*[=:]`)
	headerLine     = regexp.MustCompile(`^\[\s*[A-Za-z_][^\[\]{}",]*\]$`)
)

// joinJSON joins a JSON object whose lines are not indented, until its braces
// balance. It stops at a section header or an assignment, and does not change the
// value if it finds no end.
func (s *scanner) joinJSON(line int, parts []string, next int) (joined []string, after int) {
	var scan jsonScan
	for _, part := range parts {
		joined = append(joined, scan.feed(part))
	}
	if !strings.HasPrefix(parts[0], "{") || !scan.open() {
		return parts, next
	}
	for i := next; i < len(s.lines) && i < next+maxJSONLines && scan.open(); i++ {
		text := strip(s.lines[i])
		if headerLine.MatchString(text) || assignmentLine.MatchString(text) {
			break
		}
		if text == "" || text[0] == '#' || text[0] == ';' {
			continue
		}
		joined = append(joined, scan.feed(text))
		if scan.balanced() {
			s.record.warn(s.at(line, keyExtraCapabilities),
				fmt.Sprintf("is read as the JSON object that ends in line %d, although its lines are not indented", i+1),
				s.cinderReading(parts, next, i), "Start each line of the object, except the first, with a space.")
			return joined, i + 1
		}
	}
	return parts, next
}

// cinderReading describes how Cinder reads a JSON value that continues in lines
// without indentation.
func (s *scanner) cinderReading(parts []string, from, to int) string {
	continues := false
	for i := from; i <= to; i++ {
		line := rstrip(s.lines[i])
		switch {
		case line == "", line[0] == '#', line[0] == ';':
			continues = false
		case isIndented(line) && continues:
		case isIndented(line), line[0] == '[' && !strings.HasSuffix(line, "]"), !strings.ContainsAny(line, ":="):
			return fmt.Sprintf("refuses the whole file at line %d", i+1)
		default:
			continues = true
		}
	}
	return fmt.Sprintf("reads only %s", redact(strings.Join(parts, " ")))
}

// jsonScan tracks braces, strings and comments over the lines of a value.
type jsonScan struct {
	depth    int
	started  bool
	inString bool
}

// feed reads one line and returns it without its comment.
func (j *jsonScan) feed(line string) string {
	escaped := false
	for i, r := range line {
		switch {
		case escaped:
			escaped = false
		case j.inString && r == '\\':
			escaped = true
		case r == '"':
			j.inString = !j.inString
		case j.inString:
		case r == '#':
			return rstrip(line[:i])
		case r == '{', r == '[':
			j.depth, j.started = j.depth+1, true
		case r == '}', r == ']':
			j.depth--
		}
	}
	return line
}

func (j *jsonScan) balanced() bool { return j.started && j.depth <= 0 && !j.inString }

// open reports whether more lines could complete the value. A JSON string ends in
// the line where it begins.
func (j *jsonScan) open() bool { return j.started && j.depth > 0 && !j.inString }
