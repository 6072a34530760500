package config

import (
	"fmt"
	"log/slog"
)

// hidden is what every way of printing a [Secret] gives.
const hidden = "[hidden]"

// Secret is a text that cannot be printed: not by fmt with any verb, not by
// encoding/json or any encoder that knows TextMarshaler, not by slog or
// zerolog, and not from within another struct's unexported field. The zero
// value is the empty secret. It is immutable and safe to copy and share.
//
// Compare secrets with [Secret.Equal]; == compares where they are kept.
type Secret struct {
	// A pointer, because fmt reaches unexported fields by reflection, past
	// every method, and there prints a pointer's address only.
	text *string
}

// NewSecret hides a text.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{text: &text}
}

// Reveal returns the text, for the one place that must send it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.text == nil }

// Equal reports whether both secrets hide the same text.
func (s Secret) Equal(t Secret) bool { return s.Reveal() == t.Reveal() }

// String hides the text.
func (s Secret) String() string { return hidden }

// Format hides the text from every verb of fmt.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText hides the text from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
