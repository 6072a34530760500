package simulator

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed fixtures
var embedded embed.FS

// Fixture is one array as it was recorded, or written by hand: its identity, its
// responses, and how they changed from frame to frame. It is a value; an Array
// never changes it.
type Fixture struct {
	Name        string        // the array's name, and its folder's
	Addresses   []string      // management addresses, as san_ip has them
	Versions    []string      // of GET /api/api_version, ascending, newest 2.x last
	Username    string        // in the response to a login
	FramePeriod time.Duration // how long one frame is current
	Phase       time.Duration // offset of samples from multiples of their resolution

	id         string
	frames     []frame
	capability capability // zero: as frame 0 implies
}

// Count is how many objects of a kind there are, as an array counts them.
type Count struct {
	Live      int `json:"live"`
	Destroyed int `json:"destroyed"` // pending eradication
}

// Population is how many objects of each kind there are, by endpoint:
// "volumes", "volume-snapshots", "hosts", "protection-groups". Objects beyond
// the recorded ones are generated.
type Population map[string]Count

// frame is all responses of an array at one time, by endpoint.
type frame struct {
	responses  map[string][]object
	population Population
}

// meta is array.json.
type meta struct {
	Addresses   []string `json:"addresses"`
	Versions    []string `json:"versions"`
	Username    string   `json:"username"`
	FrameMillis int64    `json:"frame_ms"`
	PhaseMillis int64    `json:"sample_phase_ms"`
}

// Builtin returns the embedded fixtures, in order of name.
func Builtin() ([]Fixture, error) {
	dir, err := fs.Sub(embedded, "fixtures")
	if err != nil {
		return nil, fmt.Errorf("open embedded fixtures: %w", err)
	}
	return LoadDir(dir)
}

// BuiltinNamed returns the embedded fixture with the name of an array.
func BuiltinNamed(name string) (Fixture, error) {
	all, err := Builtin()
	if err != nil {
		return Fixture{}, err
	}
	for _, f := range all {
		if f.Name == name {
			return f, nil
		}
	}
	return Fixture{}, fmt.Errorf("find embedded fixture: there is none of the name %s", name)
}

// LoadDir reads every fixture of a folder laid out as the embedded one, in
// order of name: one subfolder an array. Every error is reported, each with its
// file and what to do.
func LoadDir(dir fs.FS) ([]Fixture, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("list fixtures: %w", err)
	}
	var all []Fixture
	var errs []error
	for _, e := range entries {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		f, err := loadFixture(dir, e.Name())
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, f)
	}
	if len(all) == 0 && len(errs) == 0 {
		return nil, errors.New("find fixtures: no subfolder holds an array.json; point at the folder that contains one folder per array")
	}
	return all, errors.Join(errs...)
}

func loadFixture(dir fs.FS, name string) (Fixture, error) {
	var m meta
	if err := readJSON(dir, path.Join(name, "array.json"), &m); err != nil {
		return Fixture{}, err
	}
	f := Fixture{
		Name: name, Addresses: m.Addresses, Versions: m.Versions, Username: m.Username,
		FramePeriod: time.Duration(m.FrameMillis) * time.Millisecond,
		Phase:       time.Duration(m.PhaseMillis) * time.Millisecond,
	}
	if f.FramePeriod == 0 {
		f.FramePeriod = time.Minute
	}
	if err := f.check(); err != nil {
		return Fixture{}, fmt.Errorf("%s/array.json: %w", name, err)
	}
	frames, err := loadFrames(dir, path.Join(name, "frames"))
	if err != nil {
		return Fixture{}, err
	}
	f.frames = frames
	return f, f.complete()
}

// check rejects what would cause a confusing response later.
func (f *Fixture) check() error {
	if len(f.Versions) == 0 {
		return errors.New(`"versions" is missing; copy the list of GET /api/api_version`)
	}
	newest := f.Versions[len(f.Versions)-1]
	if _, ok := parseVersion(newest); !ok {
		return fmt.Errorf(`"versions" ends with %q; put the newest 2.x version last`, newest)
	}
	if f.FramePeriod < 0 || f.Phase < 0 {
		return errors.New(`"frame_ms" and "sample_phase_ms" are counts of milliseconds; write positive numbers`)
	}
	return nil
}

// complete checks the frames and sets the array's id.
func (f *Fixture) complete() error {
	for n := range f.frames {
		fr := &f.frames[n]
		for _, required := range []string{"arrays", "arrays/space", "arrays/performance"} {
			if len(fr.responses[required]) == 0 {
				return fmt.Errorf("%s/frames: frame %d has no item for %s; add %s.json to the first frame", f.Name, n, required, required)
			}
		}
		if fr.population["volume-snapshots"].Live > 0 && fr.population["volumes"].Live == 0 {
			return fmt.Errorf("%s/frames: frame %d counts snapshots but no volume; give population.json a volume", f.Name, n)
		}
	}
	f.id = textAt(f.frames[0].responses["arrays"][0], "id")
	return nil
}

func loadFrames(dir fs.FS, root string) ([]frame, error) {
	entries, err := fs.ReadDir(dir, root)
	if err != nil {
		return nil, fmt.Errorf("%s: list frames: %w; make a folder named 00 with the recorded responses", root, err)
	}
	var frames []frame
	var last frame
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if _, err := strconv.Atoi(e.Name()); err != nil {
			return nil, fmt.Errorf("%s/%s: a frame's folder is named by its number: rename it to 00, 01, and so on", root, e.Name())
		}
		last, err = loadFrame(dir, path.Join(root, e.Name()), last)
		if err != nil {
			return nil, err
		}
		frames = append(frames, last)
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("%s: there is no frame; make a folder named 00 with the recorded responses", root)
	}
	return frames, nil
}

// loadFrame reads the files of one folder, which replace those of the previous
// frame.
func loadFrame(dir fs.FS, root string, previous frame) (frame, error) {
	f := frame{responses: maps.Clone(previous.responses), population: maps.Clone(previous.population)}
	if f.responses == nil {
		f.responses, f.population = map[string][]object{}, Population{}
	}
	err := fs.WalkDir(dir, root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".json" {
			return err
		}
		return f.load(dir, file, strings.TrimSuffix(strings.TrimPrefix(file, root+"/"), ".json"))
	})
	return f, err
}

func (f *frame) load(dir fs.FS, file, endpoint string) error {
	if endpoint == "population" {
		return readJSON(dir, file, &f.population)
	}
	text, err := fs.ReadFile(dir, file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return f.put(endpoint, file, text)
}

// put replaces the items of an endpoint by those of a response.
func (f *frame) put(endpoint, file string, text []byte) error {
	all, err := builtinSchema()
	if err != nil {
		return err
	}
	if _, ok := all[endpoint]; !ok {
		return fmt.Errorf("%s: there is no endpoint %q; known are %s", file, endpoint, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	var response struct {
		Items []object `json:"items"`
	}
	if err := decodeJSON(text, file, &response); err != nil {
		return err
	}
	if response.Items == nil {
		return fmt.Errorf(`%s: "items" is missing; write the whole response, {"items": [...]}`, file)
	}
	f.responses[endpoint] = response.Items
	return nil
}

func readJSON(dir fs.FS, file string, into any) error {
	text, err := fs.ReadFile(dir, file)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return decodeJSON(text, file, into)
}

// decodeJSON keeps the spelling of numbers and adds the file and line to errors.
func decodeJSON(text []byte, file string, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%s: line %d: %w", file, lineOf(text, err), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: there is text after the JSON value; leave one value in the file", file)
	}
	return nil
}

// lineOf counts lines up to where the decoder stopped.
func lineOf(text []byte, err error) int {
	at := int64(len(text))
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset
	case errors.As(err, &kind):
		at = kind.Offset
	}
	return 1 + bytes.Count(text[:min(at, int64(len(text)))], []byte("\n"))
}

// With returns the fixture with another response of an endpoint, in all frames: the
// text of a file of that endpoint, such as {"items": []} for alerts.
func (f Fixture) With(endpoint, response string) (Fixture, error) {
	frames := make([]frame, len(f.frames))
	for n, was := range f.frames {
		frames[n] = frame{responses: maps.Clone(was.responses), population: was.population}
		if err := frames[n].put(endpoint, endpoint, []byte(response)); err != nil {
			return Fixture{}, err
		}
	}
	f.frames = frames
	return f, f.complete()
}

// As returns the fixture as another array of the same kind and load: with
// another name and address, and an id computed from the name. So any number of
// arrays can be made of a few recordings.
func (f Fixture) As(name string, addresses ...string) Fixture {
	id := uuidOf(sha256.Sum256([]byte(name)))
	old := f.id
	f.Name, f.Addresses, f.id = name, addresses, id
	frames := make([]frame, len(f.frames))
	for n, was := range f.frames {
		frames[n] = frame{responses: make(map[string][]object, len(was.responses)), population: was.population}
		for endpoint, items := range was.responses {
			frames[n].responses[endpoint] = renamed(items, old, id, name)
		}
	}
	f.frames = frames
	return f
}

// emptied are the endpoints of which [Fixture.Empty] keeps nothing.
var emptied = []string{
	"volumes", "volumes/space", "volumes/performance", "volume-snapshots", "hosts", "hosts/performance", "pods",
	"pods/arrays", "pods/performance", "protection-groups", "protection-groups/targets",
}

// Empty returns the fixture as an array of the same kind to which nothing was
// written yet: without volumes, snapshots, hosts, pods and protection groups,
// without load, and with no space used but that of the system. It can do as much as
// the recorded array.
func (f Fixture) Empty() Fixture {
	first := f.frames[0]
	f.capability = recordedCapability(first.responses["arrays/performance"][0])
	responses := maps.Clone(first.responses)
	for _, endpoint := range emptied {
		delete(responses, endpoint)
	}
	performance, used := clone(responses["arrays/performance"][0]), clone(responses["arrays/space"][0])
	zeroNumbers(performance)
	inner := sub(used, "space")
	system := intAt(inner, "system")
	zeroNumbers(inner)
	putSpace(inner, 0, space{}, system)
	putReduction(inner, 0, 0)
	if inner["system"] != nil {
		inner["system"] = system
	}
	responses["arrays/performance"], responses["arrays/space"] = []object{performance}, []object{used}
	f.frames = []frame{{responses: responses, population: Population{}}}
	return f
}

func renamed(items []object, old, id, name string) []object {
	out := make([]object, len(items))
	for i, item := range items {
		out[i] = item
		if textAt(item, "id") == old {
			out[i] = maps.Clone(item)
			out[i]["id"], out[i]["name"] = id, name
		}
	}
	return out
}
