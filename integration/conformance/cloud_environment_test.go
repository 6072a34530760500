//go:build conformance

package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/integration/internal/cloud"
	"github.com/poolcast/poolcast/integration/process"
	"github.com/poolcast/poolcast/publisher/status/client"
)

const (
	// cloudBound is how long something in a cloud may take. It takes a few
	// seconds; the rest is for a busy machine.
	cloudBound = 3 * time.Minute
	// reportInterval is cinder-volume's in these clouds, of Cinder's 60 s.
	reportInterval = 6 * time.Second
	// gone is how long the programs of a cloud may be seen after its end.
	gone = time.Minute
)

// wholeCloud is a cloud, and what a test does in it.
type wholeCloud struct {
	*cloud.Cloud
	t *testing.T
}

// inCloud starts a cloud whose agents log as JSON, and calls a test with it. Nothing may
// be left running when the test has ended.
func inCloud(t *testing.T, o cloud.Options, test func(*wholeCloud)) {
	t.Helper()
	if o.ReportInterval == 0 {
		o.ReportInterval = reportInterval
	}
	o.Agent = append(slices.Clone(o.Agent), "log_format = json")
	folder := ""
	t.Run("cloud", func(t *testing.T) {
		c := &wholeCloud{Cloud: startCloud(t, o), t: t}
		folder = c.Dir()
		test(c)
	})
	if folder == "" {
		return
	}
	process.Await(t, gone, "all processes of the cloud to end", func() error {
		if left := processesOf(t, folder); len(left) > 0 {
			return fmt.Errorf("these run:\n%s", strings.Join(left, "\n"))
		}
		return nil
	})
}

// step runs a part of a test and logs how long it took.
func (c *wholeCloud) step(name string, f func()) {
	c.t.Helper()
	begun := time.Now()
	f()
	c.t.Logf("%s took %.1fs", name, time.Since(begun).Seconds())
}

// await waits for a check to return nil.
func (c *wholeCloud) await(what string, check func() error) {
	c.t.Helper()
	process.Await(c.t, cloudBound, what, check)
}

// must stops the test at an error.
func (c *wholeCloud) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// run runs a command of poolcast with the cinder.conf of a host.
func (c *wholeCloud) run(host string, args ...string) (out, errs string, code int) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), cloudBound)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Poolcast(), append(args, "--config-file", c.Host(host).ConfigFile())...)
	cmd.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+filepath.Join(c.Dir(), "clouds.yaml"))
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &stdout, &stderr, 5*time.Second
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("run poolcast %s: %v", strings.Join(args, " "), err)
	}
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// shows runs a command and checks that it prints some texts, whatever its lines.
func (c *wholeCloud) shows(host, command string, texts ...string) {
	c.t.Helper()
	out, errs, code := c.run(host, strings.Fields(command)...)
	printed := strings.Join(strings.Fields(out+errs), " ")
	for _, text := range texts {
		if !strings.Contains(printed, text) {
			c.t.Errorf("poolcast %s does not show %q; it ended with code %d:\n%s%s", command, text, code, out, errs)
		}
	}
}

// answer is the decision of poolcast place on the list of the scheduler.
func (c *wholeCloud) answer(host, flags string) client.Answer {
	c.t.Helper()
	out, errs, code := c.run(host, strings.Fields("place --output json --source scheduler "+flags)...)
	var answer client.Answer
	if err := json.Unmarshal([]byte(out), &answer); err != nil || code != 0 && code != 4 {
		c.t.Fatalf("poolcast place %s ended with code %d, %v:\n%s%s", flags, code, err, out, errs)
	}
	return answer
}

// chosen is the pool of an answer, "" if there is none.
func chosen(a client.Answer) string {
	if a.Chosen == nil {
		return ""
	}
	return *a.Chosen
}

// create creates a volume and waits until it is available.
func (c *wholeCloud) create(v cloud.Volume) cloud.VolumeStatus {
	c.t.Helper()
	id, err := c.API.CreateVolume(c.t.Context(), v)
	c.must(err)
	return c.awaitVolume(id)
}

// awaitVolume waits until a volume is available.
func (c *wholeCloud) awaitVolume(id string) cloud.VolumeStatus {
	c.t.Helper()
	v, err := c.API.AwaitVolume(c.t.Context(), id, "available")
	c.must(err)
	return v
}

// refuse creates a volume and waits until the scheduler has found no backend.
func (c *wholeCloud) refuse(v cloud.Volume) {
	c.t.Helper()
	id, err := c.API.CreateVolume(c.t.Context(), v)
	c.must(err)
	got, err := c.API.AwaitVolume(c.t.Context(), id, "error", "available")
	c.must(err)
	if got.Status != "error" || got.Host != "" {
		c.t.Errorf("the volume %s is %s on %q, and no backend fits", v.Name, got.Status, got.Host)
	}
}

// delete deletes a volume and waits until it is gone.
func (c *wholeCloud) delete(ids ...string) {
	c.t.Helper()
	for _, id := range ids {
		c.must(c.API.DeleteVolume(c.t.Context(), id))
	}
	for _, id := range ids {
		c.must(c.API.AwaitDeleted(c.t.Context(), id))
	}
}

// agreesOnCreate creates a volume after poolcast place, and checks that the scheduler
// takes the same pool.
func (c *wholeCloud) agreesOnCreate(host, flags string, v cloud.Volume) cloud.VolumeStatus {
	c.t.Helper()
	want := chosen(c.answer(host, fmt.Sprintf("--size %d %s", v.Size, flags)))
	if want == "" {
		c.refuse(v)
		return cloud.VolumeStatus{}
	}
	got := c.create(v)
	if got.Host != want {
		c.t.Errorf("the volume %s is on %s, and place named %s", v.Name, got.Host, want)
	}
	return got
}

// pool is the pool of a backend in the scheduler's list.
func (c *wholeCloud) pool(backend string) (cloud.BackendPool, bool) {
	c.t.Helper()
	pools, err := c.API.Pools(c.t.Context())
	c.must(err)
	i := slices.IndexFunc(pools, func(p cloud.BackendPool) bool { return p.Backend() == backend })
	if i < 0 {
		return cloud.BackendPool{}, false
	}
	return pools[i], true
}

// awaitListed waits until the scheduler lists a backend, or does not.
func (c *wholeCloud) awaitListed(backend string, listed bool) {
	c.t.Helper()
	c.await(fmt.Sprintf("the scheduler to list %s: %t", backend, listed), func() error {
		if _, there := c.pool(backend); there != listed {
			return fmt.Errorf("it is listed: %t", there)
		}
		return nil
	})
}

// awaitOverlaid waits until the scheduler has the report of an agent, or that of
// cinder-volume.
func (c *wholeCloud) awaitOverlaid(backend string, overlaid bool) {
	c.t.Helper()
	c.await(fmt.Sprintf("the report of %s to be that of an agent: %t", backend, overlaid), func() error {
		p, there := c.pool(backend)
		if !there || p.FromAgent() != overlaid {
			return fmt.Errorf("it is listed: %t, by the agent: %t", there, p.FromAgent())
		}
		return nil
	})
}

// get is a page of the agent of a host.
func (c *wholeCloud) get(host, path string) string {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), http.MethodGet, c.Host(host).URL+path, http.NoBody)
	c.must(err)
	response, err := http.DefaultClient.Do(request)
	c.must(err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	c.must(err)
	return string(text)
}

// metric is a metric of a backend at the agent of its host; NaN is no metric.
func (c *wholeCloud) metric(name, backend string) (float64, error) {
	c.t.Helper()
	host, stanza, _ := strings.Cut(backend, "@")
	pattern := regexp.MustCompile(`(?m)^` + name + `\{[^}]*backend="` + stanza + `"[^}]*\} (\S+)$`)
	found := pattern.FindStringSubmatch(c.get(host, "/metrics"))
	if found == nil {
		return 0, fmt.Errorf("there is no %s of %s", name, backend)
	}
	return strconv.ParseFloat(found[1], 64)
}

// awaitMetric waits until a metric of a backend has a value.
func (c *wholeCloud) awaitMetric(name, backend string, want float64) {
	c.t.Helper()
	c.await(fmt.Sprintf("%s of %s to be %v", name, backend, want), func() error {
		got, err := c.metric(name, backend)
		if err == nil && got != want {
			err = fmt.Errorf("it is %v", got)
		}
		return err
	})
}

// awaitReported waits until the scheduler has a number of a backend.
func (c *wholeCloud) awaitReported(backend, key string, want capability.Value) {
	c.t.Helper()
	c.await(fmt.Sprintf("%s of %s at the scheduler to be %v", key, backend, want), func() error {
		p, _ := c.pool(backend)
		if got := p.Capabilities[key]; !got.Equal(want) {
			return fmt.Errorf("it is %v", got)
		}
		return nil
	})
}
