package integration

import (
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/poolcast/poolcast"

// anything, as an edge, lets a folder import whatever it likes of ours.
const anything = "*"

// edges are the imports of ours that a folder may have; "x/..." is x and all
// below it. What stands on one level is blind to its neighbours, and the
// simulator is blind to everybody: it writes JSON of its own, so that a wrong
// field tag in the client is caught and not mirrored.
var edges = map[string][]string{
	"cmd/...":                              {anything},
	"examples/...":                         {anything},
	"integration/...":                      {anything},
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
	"collector/placement/advice":           {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/cinder", "collector/placement/function"},
	"collector/placement/rehearsal":        {"collector/capability", "collector/capability/format", "collector/placement", "collector/placement/cinder"},
	"publisher":                            {"collector/capability", "collector/capability/format"},
	"publisher/status":                     {"collector/capability", "collector/capability/format", "config/listen"},
	"publisher/status/client":              {"collector/capability", "collector/capability/format"},
}

// testEdges are what a folder's tests may import besides.
var testEdges = map[string][]string{
	"flasharray":                   {"flasharray/simulator"},
	"collector/placement/cinder":   {"collector/placement/placementtest", "collector/placement/internal/vectors"},
	"collector/placement/function": {"collector/placement/internal/vectors"},
	"publisher":                    {"integration/process", "integration/rabbitmq"},
	"publisher/status/client":      {"publisher/status"},
}

// users are the folders that may import a module of others. A module that is
// not listed may not be imported at all, and tests may use what is for testing.
var users = map[string][]string{
	"github.com/chromedp/cdproto":         {onlyTests},
	"github.com/chromedp/chromedp":        {onlyTests},
	"github.com/coreos/go-systemd/v22":    {"cmd/..."},
	"github.com/go-resty/resty/v2":        {"flasharray"},
	"github.com/google/go-cmp":            {onlyTests},
	"github.com/prometheus/client_golang": {"publisher/status"},
	"github.com/rabbitmq/amqp091-go":      {"publisher", "integration/..."},
	"github.com/rs/zerolog":               {"cmd/...", "collector", "publisher/...", "integration/..."},
	"github.com/spf13/cobra":              {"cmd/..."},
	"github.com/spf13/pflag":              {"cmd/..."},
	"go.yaml.in/yaml/v3":                  {onlyTests},
	"golang.org/x/sync":                   {"cmd/...", "collector", "flasharray", "publisher/..."},
	"golang.org/x/term":                   {"cmd/..."},
	"golang.org/x/sys":                    {"cmd/..."},
}

// onlyTests, as a user, stands for every test file and nothing else.
const onlyTests = "_test.go"

func TestImportsPointDown(t *testing.T) {
	for _, fault := range importFaults(sources(t, os.DirFS(".."))) {
		t.Error(fault)
	}
}

func TestImportFaultsAreFound(t *testing.T) {
	ours := module + "/"
	for _, c := range []struct{ name, file, imports, want string }{
		{"down to the vocabulary", "publisher/a.go", ours + "collector/capability", ""},
		{"a neighbour", "publisher/a.go", ours + "config", "publisher may not import config"},
		{"a neighbour below", "collector/a.go", ours + "collector/placement", "collector may not import collector/placement"},
		{"the client in its own simulator", "flasharray/simulator/a_test.go", ours + "flasharray", "flasharray/simulator may not import flasharray"},
		{"the simulator in the client", "flasharray/a.go", ours + "flasharray/simulator", "flasharray may not import flasharray/simulator"},
		{"the simulator in the client's test", "flasharray/a_test.go", ours + "flasharray/simulator", ""},
		{"one's own package from its test", "config/a_test.go", ours + "config", ""},
		{"another module in the vocabulary", "collector/capability/a.go", "github.com/rs/zerolog", "collector/capability may not import github.com/rs/zerolog"},
		{"RabbitMQ in cmd", "cmd/poolcast/a.go", "github.com/rabbitmq/amqp091-go", "cmd/poolcast may not import github.com/rabbitmq/amqp091-go"},
		{"a package of an allowed module", "publisher/status/a.go", "github.com/prometheus/client_golang/prometheus", ""},
		{"go-cmp in a test", "config/a_test.go", "github.com/google/go-cmp/cmp", ""},
		{"go-cmp in the program", "config/a.go", "github.com/google/go-cmp/cmp", "config may not import github.com/google/go-cmp/cmp"},
		{"an unknown module", "cmd/poolcast/a.go", "github.com/fancy/colours", "cmd/poolcast may not import github.com/fancy/colours"},
		{"an unknown folder", "collector/new/a.go", ours + "collector/capability", "collector/new may not import collector/capability"},
		{"the standard library", "collector/capability/a.go", "encoding/json", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(importFaults(planted(t, c.file, `import _ "`+c.imports+`"`)), "\n")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// importFaults names each import that the tables above do not allow.
func importFaults(files []source) (faults []string) {
	for _, f := range files {
		for _, imported := range f.imports() {
			if !allowed(f, imported) {
				faults = append(faults, f.path+": "+f.folder()+" may not import "+strings.TrimPrefix(imported, module+"/")+
					"; integration/imports_test.go has the edges that are allowed")
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
		if matches([]string{from}, f.folder()) && (slices.Contains(to, anything) || matches(to, imported)) {
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

// sources parses every Go file of a tree, leaving out what is not ours.
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
