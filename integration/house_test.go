package integration

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// maxLines is the length that a file, tests and tables aside, may have.
const maxLines = 400

// topLevel are the folders that may be at the top, apart from hidden ones.
var topLevel = []string{"cmd", "collector", "config", "examples", "flasharray", "integration", "publisher", "bin", "dist"}

// source is one Go file.
type source struct {
	path  string
	set   *token.FileSet
	file  *ast.File
	lines int
}

func (s source) folder() string { return path.Dir(s.path) }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s source) imports() (list []string) {
	for _, spec := range s.file.Imports {
		if name, err := strconv.Unquote(spec.Path.Value); err == nil {
			list = append(list, name)
		}
	}
	return list
}

func TestHouseRules(t *testing.T) {
	tree := os.DirFS("..")
	files := sources(t, tree)
	if len(files) < 100 {
		t.Fatalf("only %d files found: want those of the repository", len(files))
	}
	faults := slices.Concat(folderFaults(t, tree), docFaults(files))
	for _, f := range files {
		faults = append(faults, fileFaults(f)...)
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

// privateWords are not used: the glossary of ARCHITECTURE.md has a term for each, such
// as receive, report and publish.
var privateWords = regexp.MustCompile(`(?i)\b(told|hears?|heard|speaks|whoever|somebody|befalls?|lest)\b`)

// wordFaults names the lines of a text that use one of privateWords.
func wordFaults(path, text string) (faults []string) {
	for i, line := range strings.Split(text, "\n") {
		if word := privateWords.FindString(line); word != "" {
			faults = append(faults, fmt.Sprintf("%s:%d: %q is not a word of the glossary", path, i+1, word))
		}
	}
	return faults
}

// TestWordsArePlain reads code and documents. CHANGELOG.md has old names of keys, and
// this file has the words themselves.
func TestWordsArePlain(t *testing.T) {
	read := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, entry fs.DirEntry, err error) error {
		hidden := len(name) > 1 && strings.HasPrefix(path.Base(name), ".")
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (hidden || name == "bin" || name == "dist"):
			return fs.SkipDir
		case entry.IsDir() || name == "CHANGELOG.md" || name == "integration/house_test.go":
			return nil
		case !slices.Contains([]string{".go", ".md", ".py", ".html", ".js", ".yaml", ".yml"}, path.Ext(name)):
			return nil
		}
		text, err := os.ReadFile("../" + name)
		read++
		for _, fault := range wordFaults(name, string(text)) {
			t.Error(fault)
		}
		return err
	})
	if err != nil || read < 400 {
		t.Errorf("read %d files: %v", read, err)
	}
	if got := wordFaults("a.md", "fine\nIt was told.\n"); len(got) != 1 || !strings.HasPrefix(got[0], "a.md:2: ") {
		t.Errorf("got %q", got)
	}
}

func TestHouseRulesFindFaults(t *testing.T) {
	long := strings.Repeat("\n", maxLines)
	for _, c := range []struct{ name, file, code, want string }{
		{"init", "config/a.go", "func init() {}", "no init"},
		{"a method named init", "config/a.go", "type t struct{}; func (t) init() {}", ""},
		{"panic", "config/a.go", "func f() { panic(1) }", "no panic"},
		{"exit", "publisher/a.go", `import "os"; func f() { os.Exit(1) }`, "no os.Exit"},
		{"exit under another name", "publisher/a.go", `import sys "os"; func f() { sys.Exit(1) }`, "no os.Exit"},
		{"exit in main.go", "cmd/poolcast/main.go", `import "os"; func f() { os.Exit(1) }`, ""},
		{"exit in a test", "publisher/a_test.go", `import "os"; func f() { os.Exit(1) }`, ""},
		{"log.Fatal", "publisher/a.go", `import "log"; func f() { log.Fatalf("") }`, "no log.Fatalf"},
		{"a sleeping test", "config/a_test.go", `import "time"; func f() { time.Sleep(1) }`, "no time.Sleep"},
		{"sleep in virtual time", "config/a_test.go", `import ("time"; _ "testing/synctest"); func f() { time.Sleep(1) }`, ""},
		{"a long file", "config/a.go", long, "longer than"},
		{"a long test", "config/a_test.go", long, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(fileFaults(sourceOf(t, c.file, c.code)[0]), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := docFaults(sourceOf(t, "config/a.go", "")); len(got) != 1 {
		t.Errorf("a package without doc.go: got %q", got)
	}
	if got := folderFaults(t, fstest.MapFS{"pkg/a.go": {}, "config/a.go": {}}); len(got) != 1 {
		t.Errorf("a new folder at the top: got %q", got)
	}
}

// fileFaults lists where a file breaks the house rules.
func fileFaults(f source) (faults []string) {
	report := func(node ast.Node, what string) {
		faults = append(faults, fmt.Sprintf("%s:%d: %s", f.path, f.set.Position(node.Pos()).Line, what))
	}
	if !f.isTest() && f.lines > maxLines {
		faults = append(faults, fmt.Sprintf("%s: longer than %d lines: %d", f.path, maxLines, f.lines))
	}
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				report(n, "no init here")
			}
		case *ast.CallExpr:
			if name := f.callee(n); forbidden(f, name) {
				report(n, "no "+name+" here")
			}
		}
		return true
	})
	return faults
}

// forbidden says whether a file may not call a function.
func forbidden(f source, name string) bool {
	switch {
	case f.isTest():
		return name == "time.Sleep" && !slices.Contains(f.imports(), "testing/synctest")
	case path.Base(f.path) == "main.go":
		return false
	}
	return name == "panic" || name == "os.Exit" || strings.HasPrefix(name, "log.Fatal") || strings.HasPrefix(name, "log.Panic")
}

// callee is the name of the function that is called: without a package, or with the path
// of the imported package, or "".
func (s source) callee(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		return fun.Name
	case *ast.SelectorExpr:
		pkg, ok := fun.X.(*ast.Ident)
		if !ok {
			return ""
		}
		for _, spec := range s.file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			if spec.Name != nil && spec.Name.Name == pkg.Name || spec.Name == nil && path.Base(name) == pkg.Name {
				return name + "." + fun.Sel.Name
			}
		}
	}
	return ""
}

// docFaults lists the packages without a package comment in doc.go, or in main.go for a
// program of a single file.
func docFaults(files []source) (faults []string) {
	documented := map[string]bool{}
	for _, f := range files {
		if base := path.Base(f.path); f.file.Doc != nil && (base == "doc.go" || base == "main.go") {
			documented[f.folder()] = true
		}
	}
	for _, f := range files {
		if !documented[f.folder()] {
			faults = append(faults, f.folder()+": the package has no doc.go with a package comment")
			documented[f.folder()] = true
		}
	}
	return faults
}

// folderFaults lists the folders at the top that should be below another.
func folderFaults(t *testing.T, tree fs.FS) (faults []string) {
	t.Helper()
	entries, err := fs.ReadDir(tree, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") && !slices.Contains(topLevel, e.Name()) {
			faults = append(faults, e.Name()+": not one of the folders at the top: "+strings.Join(topLevel, " "))
		}
	}
	return faults
}

// sourceOf parses a file with this code.
func sourceOf(t *testing.T, name, code string) []source {
	t.Helper()
	tree := fstest.MapFS{name: {Data: []byte("package p\n" + code + "\n")}}
	return []source{parse(t, tree, name)}
}

func parse(t *testing.T, tree fs.FS, name string) source {
	t.Helper()
	text, err := fs.ReadFile(tree, name)
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: name, set: set, file: file, lines: strings.Count(string(text), "\n")}
}
