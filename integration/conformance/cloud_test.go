//go:build conformance

package conformance

import (
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// TestCloudCreatesVolume creates a volume in a whole cloud.
func TestCloudCreatesVolume(t *testing.T) {
	o, err := cloud.Default()
	if err != nil {
		t.Fatal(err)
	}
	o.Python = python()
	begun := time.Now()
	o.Progress = func(step string, took time.Duration) {
		t.Logf("%6.1fs %s (%.1fs)", time.Since(begun).Seconds(), step, took.Seconds())
	}
	c := cloud.Start(t, o)
	id, err := c.API.CreateVolume(t.Context(), cloud.Volume{Name: "first", Size: 10, Zone: "dc1"})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.API.AwaitVolume(t.Context(), id, "available")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", v)
}
