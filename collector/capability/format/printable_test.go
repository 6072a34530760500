package format

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"plain":                              "plain",
		"Größe µs → ∞ 容量":                    "Größe µs → ∞ 容量",
		"a\nb\r\nc\td\u2028e\u0085f":         "a b c d e f",
		"\x1b[31mred\x1b]0;title\x07":        `\x1b[31mred\x1b]0;title\a`,
		"c1 \u009b31m dcs \u0090":            `c1 \u009b31m dcs \u0090`,
		"bidi \u202etxt\u202c \u2066x\u200f": `bidi \u202etxt\u202c \u2066x\u200f`,
		"zero\x00 del\x7f":                   `zero\x00 del\x7f`,
		"raw c1 \x9b2J":                      "raw c1 \uFFFD2J",
		"mark \ufeff\u200b":                  `mark \ufeff\u200b`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzPrintable(f *testing.F) {
	f.Add("\x1b[2J\u202e\r\n\x9b")
	f.Fuzz(func(t *testing.T, text string) {
		got := Printable(text)
		if !utf8.ValidString(got) {
			t.Errorf("%q became %q, which is not UTF-8", text, got)
		}
		for _, r := range got {
			if !strconv.IsGraphic(r) {
				t.Errorf("%q became %q with %U", text, got, r)
			}
		}
		if again := Printable(got); again != got {
			t.Errorf("%q became %q and then %q", text, got, again)
		}
	})
}

func FuzzPrintableJSON(f *testing.F) {
	f.Add("\x1b[2J\u202e\r\n\u009b\U000e0001")
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := json.MarshalIndent(map[string]string{"a": text, text: "b"}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		out := PrintableJSON(raw)
		var was, is map[string]string
		if err := json.Unmarshal(raw, &was); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out, &is); err != nil || is["a"] != was["a"] || len(is) != len(was) {
			t.Errorf("%q became %q: %v", raw, out, err)
		}
		if got := strings.NewReplacer("\n", "", "\t", "").Replace(string(out)); Printable(got) != got {
			t.Errorf("%q is left in %q", Printable(got), got)
		}
	})
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 5, ""}, {"12345", 5, "12345"}, {"123456", 5, "1234…"}, {"ääääää", 6, "ääääää"}, {"äääääää", 6, "äääää…"}, {"ab", 1, "…"},
	} {
		if got := Shorten(c.text, c.limit); got != c.want {
			t.Errorf("%q to %d: got %q, want %q", c.text, c.limit, got, c.want)
		}
	}
	if n := utf8.RuneCountInString(Shorten(strings.Repeat("é", 1<<20), 200)); n != 200 {
		t.Errorf("got %d characters", n)
	}
}

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
