package config

import (
	"fmt"
	"regexp"
	"strings"
)

// maxJSONLines bounds how far a JSON value without indentation is followed.
const maxJSONLines = 500

var (
	// What a line of cinder.conf looks like, and a line of JSON does not.
	assignmentLine = regexp.MustCompile(`^[A-Za-z_][\w.-]*\s*[=:]`)
	headerLine     = regexp.MustCompile(`^\[\s*[A-Za-z_][^\[\]{}",]*\]$`)
)

// joinJSON follows a JSON object whose lines are not indented until its braces
// balance. It never passes a section header or an assignment, and leaves the
// value alone when it finds no end.
func (s *scanner) joinJSON(e entry, parts []string, next int) (joined []string, after int) {
	var scan jsonScan
	for _, part := range parts {
		joined = append(joined, scan.feed(part))
	}
	if !strings.HasPrefix(parts[0], "{") || !scan.open() {
		return parts, next
	}
	for i := next; i < len(s.lines) && i < next+maxJSONLines && scan.open(); i++ {
		line := strip(s.lines[i])
		if headerLine.MatchString(line) || assignmentLine.MatchString(line) {
			break
		}
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		joined = append(joined, scan.feed(line))
		if scan.balanced() {
			s.record.warn(s.at(e.line, e.key),
				fmt.Sprintf("joined the JSON object that ends in line %d though its lines are not indented", i+1),
				s.withoutJoining(parts, next, i))
			return joined, i + 1
		}
	}
	return parts, next
}

// withoutJoining says what Cinder makes of a JSON value that goes on in
// unindented lines.
func (s *scanner) withoutJoining(parts []string, from, to int) string {
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

// jsonScan follows braces, strings and comments through the lines of a value.
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

// open reports whether more lines could complete the value. A string never
// goes over the end of a line in JSON.
func (j *jsonScan) open() bool { return j.started && j.depth > 0 && !j.inString }

// withoutComment takes " # comment" and " ; comment" off a value, line by line.
func withoutComment(o *Option, value string) string {
	var scan jsonScan
	lines := strings.Split(value, "\n")
	for i, line := range lines {
		if o.Kind == JSON {
			lines[i] = scan.feed(line)
			continue
		}
		lines[i] = cutComment(line, o.Kind != Command)
	}
	return rstrip(strings.Join(lines, "\n"))
}

func cutComment(line string, semicolons bool) string {
	marks := "#"
	if semicolons {
		marks = "#;"
	}
	for i, r := range line {
		if !strings.ContainsRune(marks, r) {
			continue
		}
		follows := i == 0 && (len(line) == 1 || line[1] == ' ')
		if follows || i > 0 && (line[i-1] == ' ' || line[i-1] == '\t') {
			return rstrip(line[:i])
		}
	}
	return line
}

// pairs finds the known keys that a line assigns, beyond the first.
func pairs(value string, known func(string) bool) []string {
	var keys []string
	for _, m := range innerKey.FindAllStringSubmatch(value, -1) {
		if known(m[1]) {
			keys = append(keys, m[1])
		}
	}
	return keys
}

var (
	innerKey = regexp.MustCompile(`(?:^|[\s,;])([a-z][a-z0-9_]*)\s*=(?:[^=]|$)`)
	// A key whose name alone says that the value is not for showing.
	secretKey = regexp.MustCompile(`(?is)((?:[a-z0-9_]*(?:token|password|secret|passwd|credential)[a-z0-9_]*|transport_url|replication_device|connection)\s*[=:]).*$`)
)

// redact shows a line up to the first value that may be secret.
func redact(line string) string {
	return shorten(secretKey.ReplaceAllString(line, "${1} "+hidden))
}

// shorten quotes a text for a message.
func shorten(text string) string {
	runes := []rune(text)
	if len(runes) > 160 {
		text = string(runes[:160]) + "…"
	}
	return fmt.Sprintf("%q", text)
}
