package integration

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/poolcast/poolcast"

// anything, as an edge, lets a folder import every package of the module but the
// test scaffolding.
const anything = "*"

// scaffolding are the packages that only tests and programs below integration may import.
// They stand below integration; those that the tests of other packages use cannot stand in its
// folder internal.
const scaffolding = "integration/..."

// edges are the imports from this module that a folder may have; "x/..." is x and
// all below it. Packages on one level do not import each other. The simulator
// imports none: it writes JSON of its own, so that a wrong field tag in the client
// is caught and not mirrored.
var edges = map[string][]string{
	"cmd/...":                              {anything},
	"examples/...":                         {anything},
	"integration/...":                      {anything, scaffolding},
	"config":                               {"collector/capability", "collector/capability/format", "config/files", "config/listen"},
	"config/files":                         {},
	"config/listen":                        {},
	"flasharray":                           {"collector/capability", "collector/capability/format", "config/files"},
	"flasharray/simulator":                 {},
	"flasharray/recording":                 {},
	"collector":                            {"collector/capability"},
	"collector/capability":                 {},
	"collector/capability/format":          {},
	"collector/placement":                  {"collector/capability", "collector/capability/format"},
	"collector/placement/placementtest":    {"collector/capability", "collector/placement"},
	"collector/placement/function":         {"collector/capability", "collector/capability/format", "collector/placement/internal/python"},
	"collector/placement/cinder":           {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/function", "collector/placement/internal/python"},
	"collector/placement/internal/python":  {"collector/capability"},
	"collector/placement/internal/vectors": {"collector/capability"},
	"collector/placement/internal/growth":  {"collector/capability"},
	"collector/placement/plan":             {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/cinder", "collector/placement/volumeapi", "collector/placement/internal/growth"},
	"collector/placement/advice":           {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/cinder", "collector/placement/function"},
	"collector/placement/volumeapi":        {"collector/capability", "collector/capability/format", "collector/placement/cinder"},
	"collector/placement/fallback":         {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/cinder", "collector/placement/function", "collector/placement/internal/python"},
	"collector/placement/rehearsal":        {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/cinder", "collector/placement/internal/growth"},
	"publisher":                            {"collector/capability", "collector/capability/format"},
	"publisher/status":                     {"collector/capability", "collector/capability/format", "config/listen"},
	"publisher/status/client":              {"collector/capability", "collector/capability/format", "collector/placement"},
}

// testEdges are the imports that a folder's tests may have in addition.
var testEdges = map[string][]string{
	"cmd/poolcast":                 {"integration/openapi"},
	"flasharray":                   {"flasharray/simulator"},
	"collector/placement/cinder":   {"collector/placement/placementtest", "collector/placement/internal/vectors"},
	"collector/placement/function": {"collector/placement/internal/vectors"},
	"publisher":                    {"integration/cindertest", "integration/process", "integration/rabbitmq"},
	"publisher/status/client":      {"publisher/status"},
}

// users are the folders that may import a module of others. A module that
// is not listed may not be imported at all.
var users = map[string][]string{
	"github.com/chromedp/cdproto":           {onlyTests},
	"github.com/chromedp/chromedp":          {onlyTests},
	"github.com/coreos/go-systemd/v22":      {"cmd/..."},
	"github.com/getkin/kin-openapi":         {"integration/openapi"},
	"github.com/go-resty/resty/v2":          {"flasharray"},
	"github.com/google/go-cmp":              {onlyTests},
	"github.com/gophercloud/gophercloud/v2": {"cmd/poolcast/internal/openstack"},
	"github.com/prometheus/client_golang":   {"publisher/status"},
	"github.com/rabbitmq/amqp091-go":        {"publisher", "integration/..."},
	"github.com/rs/zerolog":                 {"cmd/...", "collector", "publisher/...", "integration/..."},
	"github.com/spf13/cobra":                {"cmd/..."},
	"github.com/spf13/pflag":                {"cmd/..."},
	"go.yaml.in/yaml/v3":                    {onlyTests, "cmd/poolcast/internal/openstack"},
	"golang.org/x/sync":                     {"cmd/...", "collector", "flasharray", "publisher/..."},
	"golang.org/x/term":                     {"cmd/...", "integration/cloud"},
	"golang.org/x/sys":                      {"cmd/..."},
	"gonum.org/v1/gonum":                    {"integration/outcome"},
	"gonum.org/v1/plot":                     {"integration/outcome"},
}

// onlyTests, as a user, stands for every test file and nothing else.
const onlyTests = "_test.go"

func TestImportsFollowRules(t *testing.T) {
	for _, fault := range importFaults(sources(t, os.DirFS(".."))) {
		t.Error(fault)
	}
}

func TestImportRulesFindFaults(t *testing.T) {
	ours := module + "/"
	for _, c := range []struct{ name, file, imports, want string }{
		{"the package of shared types", "publisher/a.go", ours + "collector/capability", ""},
		{"a package on the same level", "publisher/a.go", ours + "config", "publisher may not import config"},
		{"a package below", "collector/a.go", ours + "collector/placement", "collector may not import collector/placement"},
		{"the client in its own simulator", "flasharray/simulator/a_test.go", ours + "flasharray", "flasharray/simulator may not import flasharray"},
		{"the simulator in the client", "flasharray/a.go", ours + "flasharray/simulator", "flasharray may not import flasharray/simulator"},
		{"the simulator in the client's test", "flasharray/a_test.go", ours + "flasharray/simulator", ""},
		{"its own package in a test", "config/a_test.go", ours + "config", ""},
		{"another module in the package of shared types", "collector/capability/a.go", "github.com/rs/zerolog", "collector/capability may not import github.com/rs/zerolog"},
		{"RabbitMQ in cmd", "cmd/poolcast/a.go", "github.com/rabbitmq/amqp091-go", "cmd/poolcast may not import github.com/rabbitmq/amqp091-go"},
		{"a package of an allowed module", "publisher/status/a.go", "github.com/prometheus/client_golang/prometheus", ""},
		{"go-cmp in a test", "config/a_test.go", "github.com/google/go-cmp/cmp", ""},
		{"go-cmp in the program", "config/a.go", "github.com/google/go-cmp/cmp", "config may not import github.com/google/go-cmp/cmp"},
		{"an unknown module", "cmd/poolcast/a.go", "github.com/fancy/colours", "cmd/poolcast may not import github.com/fancy/colours"},
		{"an unknown folder", "collector/new/a.go", ours + "collector/capability", "collector/new may not import collector/capability"},
		{"test scaffolding in cmd", "cmd/poolcast/a.go", ours + "integration/process", "cmd/poolcast may not import integration/process"},
		{"test scaffolding in an example", "examples/custom-weigher/a.go", ours + "integration/rabbitmq", "examples/custom-weigher may not import integration/rabbitmq"},
		{"test scaffolding in a test of publisher", "publisher/a_test.go", ours + "integration/rabbitmq", ""},
		{"test scaffolding in publisher", "publisher/a.go", ours + "integration/rabbitmq", "publisher may not import integration/rabbitmq"},
		{"test scaffolding in itself", "integration/rabbitmq/a.go", ours + "integration/process", ""},
		{"the standard library", "collector/capability/a.go", "encoding/json", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(importFaults(sourceOf(t, c.file, `import _ "`+c.imports+`"`)), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// importFaults lists the imports that the tables above do not allow.
func importFaults(files []source) (faults []string) {
	for _, f := range files {
		for _, imported := range f.imports() {
			if !allowed(f, imported) {
				faults = append(faults, f.path+": "+f.folder()+" may not import "+strings.TrimPrefix(imported, module+"/")+
					"; integration/imports_test.go has the allowed imports")
			}
		}
	}
	return faults
}

func allowed(f source, imported string) bool {
	folder, isOurs := strings.CutPrefix(imported, module+"/")
	switch {
	case isOurs:
		return allowedOurs(f, folder)
	case !strings.Contains(strings.Split(imported, "/")[0], "."):
		return true // the standard library
	}
	for name, folders := range users {
		if imported == name || strings.HasPrefix(imported, name+"/") {
			return f.isTest() && slices.Contains(folders, onlyTests) || matches(folders, f.folder())
		}
	}
	return false
}

func allowedOurs(f source, imported string) bool {
	if f.isTest() && (imported == f.folder() || matches(testEdges[f.folder()], imported)) {
		return true
	}
	for from, to := range edges {
		if !matches([]string{from}, f.folder()) {
			continue
		}
		if matches(to, imported) || slices.Contains(to, anything) && !matches([]string{scaffolding}, imported) {
			return true
		}
	}
	return false
}

// matches says whether a folder is one of a list in which "x/..." means x and
// everything below it.
func matches(list []string, folder string) bool {
	return slices.ContainsFunc(list, func(entry string) bool {
		root, tree := strings.CutSuffix(entry, "/...")
		return folder == root || tree && strings.HasPrefix(folder, root+"/")
	})
}

// sources parses every Go file of a tree, but hidden folders and test data.
func sources(t *testing.T, tree fs.FS) (files []source) {
	t.Helper()
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "testdata"):
			return fs.SkipDir
		case path.Ext(name) == ".go":
			files = append(files, parse(t, tree, name))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// tableRow is a row of ARCHITECTURE.md's table of folders.
type tableRow struct{ folder, importers string }

// TestFolderTableMatchesFolders holds the table of ARCHITECTURE.md to the code:
// each folder with Go files has a row, each row is a folder, and no package is
// imported by a folder that its row does not name.
func TestFolderTableMatchesFolders(t *testing.T) {
	text, err := os.ReadFile("../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := folderTable(string(text))
	if len(rows) < 10 {
		t.Fatalf("ARCHITECTURE.md has a table of %d folders, which cannot be all", len(rows))
	}
	for _, fault := range tableFaults(rows, sources(t, os.DirFS(".."))) {
		t.Error(fault)
	}
}

func TestFolderTableFindsFaults(t *testing.T) {
	rows := folderTable("| folder | what is in it | who may import it |\n| --- | --- | --- |\n" +
		"| `config` | cinder.conf | `cmd` |\n| `cmd/poolcast` | main | no package |\n| `integration` | tests | tests |\n")
	if len(rows) != 3 {
		t.Fatalf("the table has %d rows, want 3", len(rows))
	}
	for _, c := range []struct{ name, file, imports, want string }{
		{"a row that permits it", "cmd/poolcast/a.go", "config", ""},
		{"a folder below cmd", "cmd/poolcast/internal/a/a.go", "config", "cmd/poolcast/internal/a has no row"},
		{"a row that does not name the folder", "publisher/a.go", "config", "publisher imports config"},
		{"a test", "publisher/a_test.go", "config", ""},
		{"a folder below integration", "integration/internal/network/a.go", "errors", ""},
		{"no package", "config/a.go", "cmd/poolcast", "config imports cmd/poolcast"},
		{"a row without a folder", "config/a.go", "errors", "cmd/poolcast has a row and no Go files"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(tableFaults(rows, sourceOf(t, c.file, `import _ "`+module+"/"+c.imports+`"`)), "\n")
			if c.want == "" && strings.Contains(got, "imports") || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// folderTable reads the rows whose first cell is a folder in backquotes.
func folderTable(text string) (rows []tableRow) {
	_, table, _ := strings.Cut(text, "| folder |")
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) == 1 && len(rows) > 0 {
			break
		}
		if folder := strings.TrimSpace(cells[0]); len(cells) == 3 && strings.HasPrefix(folder, "`") {
			rows = append(rows, tableRow{folder: strings.Trim(folder, "`"), importers: cells[2]})
		}
	}
	return rows
}

// tableFaults lists the differences of the table and the files. The folders below examples
// and integration have no rows of their own.
func tableFaults(rows []tableRow, files []source) (faults []string) {
	folders := map[string]bool{}
	for _, f := range files {
		folder := f.folder()
		for _, shared := range []string{"examples", "integration"} {
			if matches([]string{shared + "/..."}, folder) {
				folder = shared
			}
		}
		folders[folder] = true
	}
	named := map[string]tableRow{}
	for _, r := range rows {
		named[r.folder] = r
		if !folders[r.folder] {
			faults = append(faults, r.folder+" has a row and no Go files in ARCHITECTURE.md's table of folders")
		}
	}
	for folder := range folders {
		if _, ok := named[folder]; !ok {
			faults = append(faults, folder+" has no row in ARCHITECTURE.md's table of folders")
		}
	}
	for _, f := range files {
		for _, imported := range f.imports() {
			folder, ours := strings.CutPrefix(imported, module+"/")
			if row, ok := named[folder]; ours && ok && !row.permits(f) {
				faults = append(faults, f.path+": "+f.folder()+" imports "+folder+", which ARCHITECTURE.md's table of folders allows only for"+row.importers)
			}
		}
	}
	slices.Sort(faults)
	return faults
}

// permits says whether the row allows a file to import its folder: where it names the
// folder of the file or one above that, plugins, which are in examples, or every package. The
// imports of tests are in testEdges.
func (r tableRow) permits(f source) bool {
	if f.isTest() || matches([]string{scaffolding}, f.folder()) || strings.Contains(r.importers, "every package") {
		return true
	}
	permitted := regexp.MustCompile("`([a-z/-]+)`").FindAllStringSubmatch(r.importers, -1)
	if strings.Contains(r.importers, "plugins") {
		permitted = append(permitted, []string{"", "examples"})
	}
	return slices.ContainsFunc(permitted, func(match []string) bool {
		return matches([]string{match[1] + "/..."}, f.folder())
	})
}
