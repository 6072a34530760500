package simulator_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestBuiltinArrays(t *testing.T) {
	all, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for _, f := range all {
		addresses[f.Name] = f.Addresses[0]
	}
	want := map[string]string{
		"flasharray-x-01": "10.21.0.11", "flasharray-x-02": "10.21.0.12", "flasharray-x-03": "10.21.0.13",
		"flasharray-c-01": "10.21.0.21", "flasharray-eg1-01": "10.21.0.31", "flasharray-eg1-02": "10.21.0.32",
		"flasharray-r-01": "10.21.0.41", "flasharray-r-02": "10.21.0.42",
	}
	if !maps.Equal(addresses, want) {
		t.Errorf("fixtures are %v", addresses)
	}
}

// small is the smallest valid fixture.
func small() map[string]string {
	return map[string]string{
		"environment/array.json":                        `{"addresses": ["192.0.2.1"], "versions": ["1.19", "2.4"]}`,
		"environment/frames/00/arrays.json":             `{"items": [{"id": "a1", "name": "environment", "space": {}}]}`,
		"environment/frames/00/arrays/space.json":       `{"items": [{"capacity": 100, "space": {"unique": 7}}]}`,
		"environment/frames/00/arrays/performance.json": `{"items": [{"reads_per_sec": 5}]}`,
		"environment/frames/01/arrays/performance.json": `{"items": [{"reads_per_sec": 6}]}`,
		"environment/README.txt":                        "not read",
	}
}

func files(texts map[string]string) fstest.MapFS {
	dir := fstest.MapFS{}
	for name, text := range texts {
		dir[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return dir
}

func TestLoadDir(t *testing.T) {
	all, err := simulator.LoadDir(files(small()))
	if err != nil || len(all) != 1 || all[0].Name != "environment" {
		t.Fatalf("%v, %v", all, err)
	}
	a := simulator.New(all[0], simulator.Options{})
	l := environmentOf(t, a, simulator.ServeOptions{})
	for n, want := range []float64{5, 6} {
		a.SetFrame(n)
		if got := num(l.get("arrays/performance").Items[0], "reads_per_sec"); got != want {
			t.Errorf("frame %d: %v reads, want %v", n, got, want)
		}
		if got := num(space(l.get("arrays").Items[0]), "unique"); got != 7 {
			t.Errorf("frame %d: arrays shows unique %v, want that of arrays/space, 7", n, got)
		}
	}
	if p := l.get("volumes?total_item_count=true"); len(p.Items) != 0 || *p.Count != 0 {
		t.Errorf("an array without volumes lists %v", p.Items)
	}
}

func TestLoadDirErrors(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"no versions":    {"environment/array.json", `{}`, `environment/array.json: "versions" is missing; copy the list`},
		"wrong versions": {"environment/array.json", `{"versions": ["2.4", "1.19"]}`, "put the newest 2.x version last"},
		"bad JSON":       {"environment/array.json", "{\n\"versions\": oops}", "environment/array.json: line 2"},
		"two values":     {"environment/array.json", `{"versions": ["2.4"]} {}`, "leave one value"},
		"negative":       {"environment/array.json", `{"versions": ["2.4"], "frame_ms": -1}`, "write positive numbers"},
		"no items":       {"environment/frames/00/hosts.json", `{}`, `environment/frames/00/hosts.json: "items" is missing`},
		"unknown":        {"environment/frames/00/colours.json", `{"items": []}`, `there is no endpoint "colours"; known are active-directory,`},
		"wrong frame":    {"environment/frames/first/hosts.json", `{"items": []}`, "rename it to 00"},
		"empty array":    {"environment/frames/00/arrays.json", `{"items": []}`, "frame 0 has no item for arrays"},
		"orphans":        {"environment/frames/00/population.json", `{"volume-snapshots": {"live": 3}}`, "counts snapshots but no volume"},
		"another broken": {"lab2/array.json", `{}`, "lab2/array.json"},
	} {
		t.Run(name, func(t *testing.T) {
			texts := small()
			texts[c.file] = c.text
			_, err := simulator.LoadDir(files(texts))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want %q", err, c.want)
			}
		})
	}
	if _, err := simulator.LoadDir(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "one folder per array") {
		t.Errorf("an empty folder: %v", err)
	}
}

func TestLoadDirReportsEveryError(t *testing.T) {
	texts := small()
	texts["b/array.json"], texts["c/array.json"] = `{}`, `[]`
	_, err := simulator.LoadDir(files(texts))
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) || len(joined.Unwrap()) != 2 {
		t.Errorf("error is %v, want both errors", err)
	}
}

// TestRecordedObjectsFirst checks that generated objects follow the recorded ones.
func TestRecordedObjectsFirst(t *testing.T) {
	l := newEnvironment(t, "flasharray-c-01", simulator.Options{Population: simulator.Population{"volumes": {Live: 5, Destroyed: 2}}})
	var names []string
	dead := 0
	for _, v := range l.get("volumes").Items {
		names = append(names, v["name"].(string))
		if v["destroyed"] == true {
			dead++
		}
	}
	if len(names) != 7 || dead != 2 || !slices.Equal(names[:2], []string{"archive/backup-0", "archive/backup-1"}) {
		t.Errorf("%d destroyed of %v", dead, names)
	}
}
