package recording

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
)

// Scrubber replaces texts that could tell whose array it is, the same text by
// the same stand-in. One goroutine uses it.
type Scrubber struct {
	known    vocabulary
	key      []byte
	standins map[string]string
	counts   map[string]int
}

// NewScrubber draws a key, so that the stand-ins of two recordings cannot be
// matched.
func NewScrubber() *Scrubber {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return &Scrubber{known: newVocabulary(), key: key, standins: map[string]string{}, counts: map[string]int{}}
}

// Name returns the stand-in of an array's name.
func (s *Scrubber) Name(name string) string { return s.numbered("array", name) }

// Address returns the stand-in of a host name or IP address.
func (s *Scrubber) Address(address string) string {
	if address == "" {
		return ""
	}
	if known, ok := s.standins["address "+address]; ok {
		return known
	}
	n := s.next("address")
	standin := fmt.Sprintf("192.0.2.%d", n) // RFC 5737
	if ip := net.ParseIP(address); ip != nil && ip.To4() == nil {
		standin = fmt.Sprintf("2001:db8::%x", n) // RFC 3849
	}
	s.standins["address "+address] = standin
	return standin
}

// Response returns one answer of an array with its texts replaced. path is the
// endpoint, such as arrays/space.
func (s *Scrubber) Response(path string, answer json.RawMessage) (json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("scrub %s: %w", path, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("scrub %s: text after the JSON value", path)
	}
	out, err := json.MarshalIndent(s.value(path, "", v), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("scrub %s: %w", path, err)
	}
	return append(out, '\n'), nil
}

func (s *Scrubber) value(path, field string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		return s.object(path, v)
	case []any:
		for i := range v {
			v[i] = s.value(path, field, v[i])
		}
	case string:
		return s.text(path, field, v)
	case json.Number:
		if !s.known.hasNumber(field, v) {
			return nil
		}
	}
	return v
}

// object replaces the names of fields that are not the API's. They are replaced
// in their order, so that stand-ins do not depend on chance.
func (s *Scrubber) object(path string, object map[string]any) map[string]any {
	out := make(map[string]any, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		name := key
		if !s.known.hasKey(key) {
			name = s.numbered("field", key)
		}
		out[name] = s.value(path, name, object[key])
	}
	return out
}

// Versions keeps what looks like a version of the API.
func (s *Scrubber) Versions(offered []string) []string {
	return slices.DeleteFunc(slices.Clone(offered), func(v string) bool { return !s.known.version.MatchString(v) })
}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func (s *Scrubber) text(path, field, text string) string {
	switch {
	case text == "":
		return ""
	case s.known.hasText(path, field, text):
		return text
	case field == "name":
		return s.Name(text)
	case uuid.MatchString(text):
		return s.id(text)
	case isAddress(field, text):
		return s.Address(text)
	}
	return s.numbered("scrubbed", text)
}

func isAddress(field, text string) bool {
	return net.ParseIP(text) != nil || strings.Contains(field, "address") || strings.HasSuffix(field, "_servers")
}

// id makes a UUID out of another; without the key nothing leads back.
func (s *Scrubber) id(text string) string {
	mac := hmac.New(sha256.New, s.key)
	_, _ = io.WriteString(mac, strings.ToLower(text))
	hex := fmt.Sprintf("%x", mac.Sum(nil))
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", hex[:8], hex[8:12], hex[13:16], hex[17:20], hex[20:32])
}

func (s *Scrubber) numbered(kind, text string) string {
	key := kind + " " + strings.ToLower(text) // names are the same in any case
	if known, ok := s.standins[key]; ok {
		return known
	}
	s.standins[key] = fmt.Sprintf("%s-%02d", kind, s.next(kind))
	return s.standins[key]
}

func (s *Scrubber) next(kind string) int {
	s.counts[kind]++
	return s.counts[kind]
}
