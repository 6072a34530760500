//go:build conformance

package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
	"github.com/poolcast/poolcast/integration/process"
)

// startCloud starts a cloud with the Cinder of these tests, and logs how long each step
// took.
func startCloud(t *testing.T, o cloud.Options) *cloud.Cloud {
	t.Helper()
	if o.Python == "" {
		o.Python = python()
	}
	begun := time.Now()
	o.Progress = func(step string, took time.Duration) {
		t.Logf("%5.1f s  %s took %.1f s", time.Since(begun).Seconds(), step, took.Seconds())
	}
	return cloud.Start(t, o)
}

// TestCloudCreatesVolumes creates volumes through cinder-api in a whole cloud: each
// becomes available on the array that place has named, exists on that array, and is
// deleted there. When the cloud has ended no process of it is left.
func TestCloudCreatesVolumes(t *testing.T) {
	folder := ""
	t.Run("cloud", func(t *testing.T) {
		o, err := cloud.Default()
		if err != nil {
			t.Fatal(err)
		}
		c := startCloud(t, o)
		folder = c.Dir()
		if _, err := c.API.CreateType(t.Context(), "gold", map[string]string{"volume_backend_name": cloud.Pool}); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		for _, source := range []string{"agent", "scheduler"} {
			for _, zone := range []string{"dc1", "dc2"} {
				checkPlacedVolume(t, c, source, zone)
			}
		}
		t.Logf("four volumes were created and deleted in %.1f s", time.Since(begun).Seconds())
	})
	awaitNoProcesses(t, folder)
}

// awaitNoProcesses waits until the processes of a cloud have ended. Those that a service
// of Cinder started end by themselves some seconds after a killed service.
func awaitNoProcesses(t *testing.T, folder string) {
	t.Helper()
	process.Await(t, time.Minute, "all processes of the cloud to end", func() error {
		if left := processesOf(t, folder); len(left) > 0 {
			return fmt.Errorf("these run:\n%s", strings.Join(left, "\n"))
		}
		return nil
	})
}

// checkPlacedVolume creates a volume and deletes it.
func checkPlacedVolume(t *testing.T, c *cloud.Cloud, source, zone string) {
	t.Helper()
	want := placed(t, c, "--source", source, "--size", "10", "--availability-zone", zone, "--property", "volume_backend_name="+cloud.Pool)
	id, err := c.API.CreateVolume(t.Context(), cloud.Volume{Name: "from " + source, Size: 10, Type: "gold", Zone: zone})
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.API.AwaitVolume(t.Context(), id, "available")
	if err != nil {
		t.Fatal(err)
	}
	if v.Host != want {
		t.Errorf("the volume is on %s, and place --source %s has named %s", v.Host, source, want)
	}
	stanza := stanzaOfHost(v.Host)
	if items := volumesOnArray(t, c, stanza, id); len(items) != 1 || items[0]["provisioned"] != float64(10<<30) {
		t.Errorf("the array of %s has the volumes %v", stanza, items)
	}
	err = c.API.DeleteVolume(t.Context(), id)
	if err == nil {
		err = c.API.AwaitDeleted(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	if items := volumesOnArray(t, c, stanza, id); len(items) != 0 {
		t.Errorf("the deleted volume is on the array of %s: %v", stanza, items)
	}
}

// placed is what poolcast place names, host@stanza#pool. Its configuration is that of the
// first host.
func placed(t *testing.T, c *cloud.Cloud, args ...string) string {
	t.Helper()
	args = append([]string{"place", "--config-file", c.Hosts()[0].ConfigFile(), "--output", "json"}, args...)
	for _, h := range c.Hosts()[1:] {
		for _, zone := range h.Zones() {
			args = append(args, "--backend-zone", zone)
		}
	}
	cmd := exec.CommandContext(t.Context(), c.Poolcast(), args...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	var answer struct{ Chosen string }
	if err == nil {
		err = json.Unmarshal(out, &answer)
	}
	if err != nil {
		t.Fatalf("run poolcast %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return answer.Chosen
}

// stanzaOfHost is the stanza of host@stanza#pool.
func stanzaOfHost(host string) string {
	backend, _, _ := strings.Cut(host, "#")
	_, stanza, _ := strings.Cut(backend, "@")
	return stanza
}

// volumesOnArray are the volumes of an array that Cinder made for a volume, without
// those that are destroyed.
func volumesOnArray(t *testing.T, c *cloud.Cloud, stanza, id string) []map[string]any {
	t.Helper()
	items, err := c.Items(t.Context(), stanza, "volumes?destroyed=false&filter=name%3D%27*"+id+"*%27")
	if err != nil {
		t.Fatal(err)
	}
	return items
}

// processesOf are the processes that have a folder in their arguments or work in it.
func processesOf(t *testing.T, folder string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil || folder == "" {
		t.Fatalf("list processes that use %q: %v", folder, err)
	}
	own := filepath.Dir(folder) // the temporary folder of the test
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline")) // it may have ended
		dir, _ := os.Readlink(filepath.Join("/proc", e.Name(), "cwd"))
		if text := string(slices.Concat(line, []byte(dir))); strings.Contains(text, own+"/") {
			found = append(found, e.Name()+" "+strings.ReplaceAll(text, "\x00", " "))
		}
	}
	return found
}
