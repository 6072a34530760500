package recording

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Getter fetches the JSON that an array answers to a path, such as
// "arrays/space" or "/api/api_version". A client of package flasharray is one.
type Getter interface {
	Get(ctx context.Context, path string, query url.Values) (json.RawMessage, error)
}

// Recording is one array as a fixture: who it is, and what it answered at each
// of several instants.
type Recording struct {
	Name      string   // stand-in of the array's name, and of the folder's
	Addresses []string // stand-ins
	Versions  []string
	Every     time.Duration // between two frames
	Frames    []Frame
}

// Frame is everything an array answered at one instant, scrubbed, by endpoint.
type Frame struct {
	Responses  map[string]json.RawMessage
	Population map[string]Count
}

// Count is how many objects of a kind there are.
type Count struct {
	Live      int64 `json:"live"`
	Destroyed int64 `json:"destroyed"`
}

// Start asks an array who it is. address is what it was reached at.
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
	var who struct {
		Items []struct {
			Name string `json:"name"`
		} `json:"items"`
	}
	if raw, err = g.Get(ctx, "arrays", nil); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &who); err != nil || len(who.Items) == 0 {
		return nil, errors.Join(errors.New("the array does not tell its name"), err)
	}
	return &Recording{Name: s.Name(who.Items[0].Name), Addresses: []string{s.Address(address)}, Versions: s.Versions(offered.Version)}, nil
}

// endpoints are read whole; those that may be missing in an older API version,
// or denied to a role, are left out then.
var endpoints = []struct {
	path     string
	optional bool
}{
	{"arrays", false},
	{"arrays/space", false},
	{"arrays/performance", false},
	{"controllers", true},
	{"array-connections", true},
	{"subscriptions", true},
}

// Take records one frame.
func Take(ctx context.Context, g Getter, s *Scrubber) (Frame, error) {
	f := Frame{Responses: map[string]json.RawMessage{}, Population: map[string]Count{}}
	for _, e := range endpoints {
		raw, err := g.Get(ctx, e.path, nil)
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

// count asks for a number and never for the objects: limit=1 is understood by
// every version, and what the one item says is thrown away.
func count(ctx context.Context, g Getter, kind string, query url.Values) (int64, error) {
	q := url.Values{"limit": {"1"}, "total_item_count": {"true"}}
	for key, values := range query {
		q[key] = values
	}
	raw, err := g.Get(ctx, kind, q)
	if err != nil {
		return 0, err
	}
	var answer struct {
		Total *int64 `json:"total_item_count"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return 0, fmt.Errorf("count %s: %w", kind, err)
	}
	if answer.Total == nil {
		return 0, fmt.Errorf("count %s: the array did not count", kind)
	}
	return *answer.Total, nil
}

// Write puts the recording into folder/name, in the layout that the simulator
// loads. A folder that is there already is an error: nothing is overwritten.
func (r *Recording) Write(folder string) error {
	root := filepath.Join(folder, r.Name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		return fmt.Errorf("write recording: %w; choose another folder with --into, or remove it", err)
	}
	meta, err := json.MarshalIndent(map[string]any{
		"addresses": r.Addresses, "versions": r.Versions, "username": "recorded", "frame_ms": r.Every.Milliseconds(),
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	files := map[string][]byte{"array.json": append(meta, '\n')}
	for n, f := range r.Frames {
		if err := f.into(files, fmt.Sprintf("frames/%02d/", n)); err != nil {
			return err
		}
	}
	for name, text := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write recording: %w", err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("write recording: %w", err)
		}
	}
	return nil
}

func (f Frame) into(files map[string][]byte, prefix string) error {
	for path, answer := range f.Responses {
		files[prefix+strings.TrimPrefix(path, "/")+".json"] = answer
	}
	population, err := json.MarshalIndent(f.Population, "", "  ")
	if err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	files[prefix+"population.json"] = append(population, '\n')
	return nil
}
