package simulator

import (
	"crypto/sha256"
	"fmt"
	"maps"
)

// As returns the fixture as another array of the same kind and load: with
// another name and address, and the id that follows from the name. It lets a
// few recordings stand in for any number of arrays.
func (f Fixture) As(name string, addresses ...string) Fixture {
	hex := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	id := fmt.Sprintf("%s-%s-4%s-8%s-%s", hex[:8], hex[8:12], hex[13:16], hex[17:20], hex[20:32]) // a UUID of version 4
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
