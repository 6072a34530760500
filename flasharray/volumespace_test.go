package flasharray_test

import (
	"net/url"
	"testing"
	"testing/synctest"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

func TestVolumeSpaceOfEveryPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		space, err := l.client.VolumeSpace(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := l.items(t, "volumes", url.Values{"destroyed": {"false"}})
		if len(all) <= 500 || len(space) != len(all) {
			t.Fatalf("%d of %d volumes", len(space), len(all))
		}
		for _, item := range all {
			name := item["name"].(string)
			if want := item["space"].(map[string]any)["unique"].(float64); float64(space[name]) != want {
				t.Errorf("%s uses %d bytes, want %v", name, space[name], want)
			}
		}
	})
}

func TestVolumeSpaceWithoutRight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newEnvironment(t, "flasharray-x-01", simulator.Options{})
		defer l.close(t)
		l.SetFaults(simulator.Forbidden().On("volumes"))
		if space, err := l.client.VolumeSpace(t.Context()); err == nil {
			t.Errorf("%d volumes", len(space))
		}
	})
}
