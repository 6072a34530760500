package text

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// page is a page for a terminal of a width, 0 for none.
func page(width int) *Page {
	return &Page{Width: max(30, width), tableWidth: width}
}

func arrays(names ...string) *Table {
	t := NewTable("ARRAY", "READ/s>", "+WRITE/s>", "POOL", "LOAD %>", "+AFTER>", "WITH~").MayHide("WITH", "READ/s", "LOAD %")
	for i, name := range names {
		t.Add(name, "100000", "200000", "gold", fmt.Sprint(i), fmt.Sprint(i+1), "words that say more of it")
	}
	return t
}

func TestTableHidesColumnsInOrder(t *testing.T) {
	for _, c := range []struct {
		width  int
		header string
		hidden string
	}{
		{0, "ARRAY  READ/s  WRITE/s  POOL  LOAD %  AFTER  WITH", ""},
		{80, "ARRAY  READ/s  WRITE/s  POOL  LOAD %  AFTER  WITH", ""},
		{60, "ARRAY  READ/s  WRITE/s  POOL  LOAD %  AFTER", "hidden: WITH; "},
		{43, "ARRAY  READ/s  WRITE/s  POOL  LOAD %  AFTER", "hidden: WITH; "},
		{42, "ARRAY  POOL  LOAD %  AFTER", "hidden: READ/s, WRITE/s, WITH; "},
		{20, "ARRAY  POOL", "hidden: READ/s, WRITE/s, LOAD\n  %, AFTER, WITH; "},
	} {
		p := page(c.width)
		p.Tables(arrays("a1", "a2"))
		got := p.text.String()
		if header, _, _ := strings.Cut(got, "\n"); header != c.header {
			t.Errorf("%d columns: header %q, want %q", c.width, header, c.header)
		}
		if !strings.Contains(got, c.hidden) || strings.Contains(got, "hidden") != (c.hidden != "") {
			t.Errorf("%d columns: want %q in\n%s", c.width, c.hidden, got)
		}
	}
}

func TestTablesShareColumns(t *testing.T) {
	p := page(50)
	p.Tables(arrays("a1").Title("gold"), arrays("an-array-with-a-long-name").Title("", "silver"))
	want := "gold\n" +
		"ARRAY                      POOL  LOAD %  AFTER\n" +
		"a1                         gold       0      1\n" +
		"\nsilver\n" +
		"ARRAY                      POOL  LOAD %  AFTER\n" +
		"an-array-with-a-long-name  gold       0      1\n" +
		"hidden: READ/s, WRITE/s, WITH; --output wide shows\n  all columns\n"
	if got := p.text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestNamesRemainDistinct: also those that differ in the middle, or cannot be shortened.
func TestNamesRemainDistinct(t *testing.T) {
	long := strings.Repeat("x", 40)
	for _, names := range [][]string{
		{long + "1", long + "2"},
		{"1" + long, "2" + long},
		{long[:12] + "1" + long, long[:12] + "2" + long},
		{"1" + long + "1", "2" + long + "1", "1" + long + "2"},
		{long + "1" + long, long + "2" + long},
		{"short", long},
	} {
		table := NewTable("ARRAY", "VOLUMES>")
		for _, name := range names {
			table.Add(name, "1")
		}
		p := page(30)
		p.Tables(table)
		got := strings.Split(strings.TrimSuffix(p.text.String(), "\n"), "\n")
		seen := map[string]bool{}
		for _, row := range strings.Split(strings.ReplaceAll(strings.Join(got[1:], "\n"), "1\n", "1\x00"), "\x00") {
			if seen[row] {
				t.Errorf("%v: two rows are the same:\n%s", names, strings.Join(got, "\n"))
			}
			seen[row] = true
		}
		for _, line := range got {
			if utf8.RuneCountInString(line) > 30 {
				t.Errorf("%v: wider than the page: %s", names, line)
			}
		}
	}
}

func TestDistinct(t *testing.T) {
	for _, c := range []struct {
		names []string
		width int
		want  []string
	}{
		{[]string{"flasharray"}, 10, []string{"flasharray"}},
		{[]string{"flasharray_x_01", "flasharray_x_02"}, 9, []string{"flas…x_01", "flas…x_02"}},
		{[]string{"a1-flasharray", "a2-flasharray"}, 5, []string{"a1…ay", "a2…ay"}},
		{[]string{"ab1cdefghi", "ab2cdefghi"}, 5, []string{"ab1…i", "ab2…i"}},
		{[]string{"abcdefghi1j", "abcdefghi2j"}, 5, []string{"ab…1j", "ab…2j"}},
		{[]string{"ääääö", "ääääü"}, 3, []string{"ä…ö", "ä…ü"}},
		{[]string{"1aaaa1", "1aaaa2", "2aaaa1"}, 2, nil},
		{[]string{"ab"}, 0, nil},
	} {
		if got := Distinct(c.names, c.width); !slices.Equal(got, c.want) {
			t.Errorf("%q to %d: got %q, want %q", c.names, c.width, got, c.want)
		}
	}
}

// TestProseIsBroken where it may not be hidden.
func TestProseIsBroken(t *testing.T) {
	table := NewTable("PROPERTY", "VALUE~")
	table.Add("extra specs", "capabilities:total_volumes='<= 500' and more")
	p := page(40)
	p.Tables(table)
	want := "PROPERTY     VALUE\n" +
		"extra specs  capabilities:total_volumes=\n" +
		"             '<= 500' and more\n"
	if got := p.text.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
