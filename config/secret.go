package config

import (
	"fmt"
	"log/slog"
	"regexp"
)

// hidden replaces a [Secret] in all output.
const hidden = "[hidden]"

// Secret is a text that cannot be printed: not by fmt with any verb, not by
// encoding/json or any encoder that uses TextMarshaler, not by slog or zerolog, and
// not as an unexported field of another struct. The zero value is the empty
// secret. It is immutable and safe to copy and share.
//
// Compare secrets with Secret.equal; == compares pointers.
type Secret struct {
	// A pointer, because fmt prints unexported fields by reflection, without
	// calling methods; of a pointer it prints only the address.
	text *string
}

// newSecret hides a text.
func newSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text. Only the code that sends the secret calls it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// equal reports whether both secrets hide the same text.
func (s Secret) equal(t Secret) bool { return s.Reveal() == t.Reveal() }

// String hides the text.
func (s Secret) String() string { return hidden }

// Format hides the text from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText hides the text from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// secretKey is a key whose name alone means that its value must not be shown.
var secretKey = regexp.MustCompile(`(?is)((?:[a-z0-9_]*(?:token|password|secret|passwd|credential)[a-z0-9_]*|transport_url|replication_device|connection)\s*[=:]).*$`)

// redact quotes a line up to the first value that may be secret.
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

var punctuation = regexp.MustCompile(`^[\s{}\[\],;"']+$`)

// quotePunctuation returns ": line" for a line of punctuation, and "" for any other:
// a line may be the second half of a token.
func quotePunctuation(line string) string {
	if punctuation.MatchString(line) {
		return ": " + line
	}
	return ""
}
