package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

// Getter returns the JSON of the response to a GET of a path, such as
// "arrays/space" or "/api/api_version". A client of package flasharray is one.
type Getter interface {
	Get(ctx context.Context, path string, query url.Values) (json.RawMessage, error)
}

// Recording is one array as a fixture: its identity, and its responses at several
// times.
type Recording struct {
	Name      string   // replacement of the array's name; also the name of the folder
	Addresses []string // replacements
	Versions  []string
	Every     time.Duration // between two frames
	Frames    []Frame
}

// Frame is all responses of an array at one time, scrubbed, by endpoint.
type Frame struct {
	Responses  map[string]json.RawMessage
	Population map[string]Count
}

// Count is how many objects of a kind there are.
type Count struct {
	Live      int64 `json:"live"`
	Destroyed int64 `json:"destroyed"`
}

// Start reads the versions and the name of an array. address is that of the
// connection.
func Start(ctx context.Context, g Getter, s *Scrubber, address string) (*Recording, error) {
	raw, err := g.Get(ctx, "/api/api_version", nil)
	if err != nil {
		return nil, err
	}
	var offered struct {
		Version []string `json:"version"`
	}
	if err := json.Unmarshal(raw, &offered); err != nil {
		return nil, fmt.Errorf("read API versions: %w", err)
	}
	var arrays struct {
		Items []struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	if raw, err = g.Get(ctx, "arrays", nil); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &arrays); err != nil || len(arrays.Items) == 0 {
		return nil, errors.Join(errors.New("the array returned no name"), err)
	}
	return &Recording{Name: s.Name(arrays.Items[0].Name), Addresses: []string{s.Address(address)}, Versions: s.Versions(offered.Version)}, nil
}

// endpoints are read completely, or as far as a poll reads them. Optional ones may be
// missing in an older API version, or forbidden for a role.
var endpoints = []struct {
	path     string
	optional bool
	query    url.Values
}{
	{"arrays", false, nil},
	{"arrays/space", false, nil},
	{"arrays/performance", false, nil},
	{"controllers", true, nil},
	{"array-connections", true, nil},
	{"subscriptions", true, nil},
	{"alerts", true, url.Values{"filter": {"state='open'"}, "limit": {mostItems}}},
	{"pods", true, url.Values{"destroyed": {"false"}, "filter": {"array_count>1"}, "limit": {mostItems}}},
	{"pod-replica-links/lag", true, url.Values{"limit": {mostItems}}},
}

// mostItems is the page size that arrays have by observation.
const mostItems = "1000"

// Take records one frame.
func Take(ctx context.Context, g Getter, s *Scrubber) (Frame, error) {
	f := Frame{Responses: map[string]json.RawMessage{}, Population: map[string]Count{}}
	for _, e := range endpoints {
		raw, err := g.Get(ctx, e.path, e.query)
		if err != nil && e.optional && ctx.Err() == nil {
			continue
		}
		if err != nil {
			return f, err
		}
		if f.Responses[e.path], err = s.Response(e.path, raw); err != nil {
			return f, err
		}
	}
	for _, kind := range []string{"volumes", "volume-snapshots", "protection-groups"} {
		all, err := count(ctx, g, kind, nil)
		if err != nil {
			return f, err
		}
		live, err := count(ctx, g, kind, url.Values{"destroyed": {"false"}})
		if err != nil {
			return f, err
		}
		f.Population[kind] = Count{Live: live, Destroyed: all - live}
	}
	hosts, err := count(ctx, g, "hosts", nil)
	f.Population["hosts"] = Count{Live: hosts}
	return f, err
}

// count requests a number without a list: every version accepts limit=1, and the
// one item is not used.
func count(ctx context.Context, g Getter, kind string, query url.Values) (int64, error) {
	q := url.Values{"limit": {"1"}, "total_item_count": {"true"}}
	maps.Copy(q, query)
	raw, err := g.Get(ctx, kind, q)
	if err != nil {
		return 0, err
	}
	var response struct {
		Total *int64 `json:"total_item_count"`
	}
	if err := json.Unmarshal(raw, &response); err != nil {
		return 0, fmt.Errorf("count %s: %w", kind, err)
	}
	if response.Total == nil {
		return 0, fmt.Errorf("count %s: the array returned no count", kind)
	}
	return *response.Total, nil
}

// Write writes the recording to folder/name, in the layout that the simulator
// loads. An existing folder is an error: nothing is overwritten.
func (r *Recording) Write(folder string) error {
	root := filepath.Join(folder, r.Name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		return fmt.Errorf("write recording: %w; choose another folder with --into, or remove it", err)
	}
	err := writeJSON(filepath.Join(root, "array.json"), map[string]any{
		"addresses": r.Addresses, "versions": r.Versions, "username": "recorded", "frame_ms": r.Every.Milliseconds(),
	})
	for n, f := range r.Frames {
		frame := filepath.Join(root, "frames", fmt.Sprintf("%02d", n))
		err = errors.Join(err, writeJSON(filepath.Join(frame, "population.json"), f.Population))
		for path, body := range f.Responses {
			err = errors.Join(err, writeFile(filepath.Join(frame, filepath.FromSlash(path)+".json"), body))
		}
	}
	if err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}

func writeJSON(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(path, append(text, '\n'))
}

func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}
