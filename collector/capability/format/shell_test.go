package format

import "testing"

func TestShellQuoted(t *testing.T) {
	for text, want := range map[string]string{
		"gold":                        "gold",
		"capabilities:total_volumes":  "capabilities:total_volumes",
		"":                            "''",
		"two words":                   "'two words'",
		"it's":                        `'it'\''s'`,
		"$(reboot)":                   "'$(reboot)'",
		"capabilities:total_volumes<": "'capabilities:total_volumes<'",
	} {
		if got := ShellQuoted(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
