//go:build conformance

package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// cloudForPlans has three empty arrays in one logical pool, with a ratio of 1: what is
// provisioned decides how full they are, because nothing writes to the volumes.
func cloudForPlans(t *testing.T) cloud.Options {
	t.Helper()
	o, err := cloud.Default()
	if err != nil {
		t.Fatal(err)
	}
	o.Keystone = true
	o.Hosts = []cloud.Host{{Name: "ctl1", Backends: []string{"flasharray_x_01", "flasharray_x_02", "flasharray_x_03"}}}
	for i := range o.Arrays {
		a := &o.Arrays[i]
		a.Fixture, a.Zone = a.Fixture.Empty(), "dc1"
		a.Settings = []string{
			"pure_automatic_max_oversubscription_ratio = false", "max_over_subscription_ratio = 1.0",
			fmt.Sprintf(`extra_capabilities = {"rack": "r%d"}`, i+1),
		}
	}
	return o
}

// planned is what poolcast plan --output json prints, as far as it is read here.
type planned struct {
	Pools []struct {
		Arrays []struct {
			Backend       string
			Before, After struct {
				Volumes           int
				Used, Provisioned *float64
			}
		}
		Moves []struct {
			plannedVolume

			From, To, Kind, Command string
		}
		CannotMove []struct {
			plannedVolume

			On      string
			Reasons []string
		} `json:"cannot_move"`
	}
}

type plannedVolume struct {
	ID   string `json:"volume_id"`
	Name string
	Size int `json:"size_gib"`
}

// plan runs poolcast plan.
func (c *wholeCloud) plan(wantCode int, flags ...string) planned {
	c.t.Helper()
	out, errs, code := c.run("ctl1", append([]string{"plan", "--os-cloud", "poolcast", "--output", "json", "--source", "scheduler"}, flags...)...)
	out = strings.NewReplacer("used_ratio", "used", "provisioned_ratio", "provisioned").Replace(out)
	var p planned
	if err := json.Unmarshal([]byte(out), &p); err != nil || code != wantCode || len(p.Pools) != 1 {
		c.t.Fatalf("poolcast plan %v ended with code %d, %v:\n%s%s", flags, code, err, out, errs)
	}
	return p
}

// fillFirst puts volumes on the first array, which a type pins, and gives them then the
// type that fits every array. The last two cannot be moved.
func (c *wholeCloud) fillFirst(sizes ...int) {
	c.t.Helper()
	ctx := c.t.Context()
	for name, specs := range map[string]map[string]string{
		"gold":    {"volume_backend_name": cloud.Pool},
		"on-x-01": {"volume_backend_name": cloud.Pool, "rack": "r1"},
		"on-x-02": {"volume_backend_name": cloud.Pool, "rack": "r2"},
		"on-x-03": {"volume_backend_name": cloud.Pool, "rack": "r3"},
	} {
		_, err := c.API.CreateType(ctx, name, specs)
		c.must(err)
	}
	for i, size := range sizes {
		c.place(fmt.Sprintf("volume-%d", i), size, "on-x-01")
	}
	pinned := c.create(cloud.Volume{Name: "pinned", Size: 500, Type: "on-x-01"})
	kept := c.place("with-snapshot", 500, "on-x-01")
	snapshot, err := c.API.CreateSnapshot(ctx, kept.ID, "kept")
	c.must(err)
	_, err = c.API.AwaitSnapshot(ctx, snapshot, "available")
	c.must(err)
	if pinned.Backend() != firstBackend {
		c.t.Fatalf("the pinned volume is on %s", pinned.Host)
	}
}

// place creates a volume on the array of a type, and gives it the type gold there.
func (c *wholeCloud) place(name string, size int, pinning string) cloud.VolumeStatus {
	c.t.Helper()
	v := c.create(cloud.Volume{Name: name, Size: size, Type: pinning})
	c.must(c.API.Retype(c.t.Context(), v.ID, "gold", "never"))
	got := c.awaitVolume(v.ID)
	if got.Type != "gold" || got.Host != v.Host {
		c.t.Fatalf("the volume %s has the type %s on %s", name, got.Type, got.Host)
	}
	return got
}

// awaitProvisioned waits until the scheduler has what is provisioned on an array.
func (c *wholeCloud) awaitProvisioned(backend string, gib float64) {
	c.t.Helper()
	c.await(fmt.Sprintf("%.0f GiB to be provisioned on %s", gib, backend), func() error {
		p, _ := c.pool(backend)
		if got, ok := p.Capabilities.Number("provisioned_capacity_gb"); !ok || math.Abs(got-gib) > 1 {
			return fmt.Errorf("%v are", got)
		}
		return nil
	})
}

// TestCloudPlan fills one array of three. It sends what poolcast plan prints to cinder-api,
// moves volumes by delete and create, and compares the result with the prediction.
func TestCloudPlan(t *testing.T) {
	t.Parallel()
	inCloud(t, cloudForPlans(t), func(c *wholeCloud) {
		c.WriteClouds()
		sizes, sum := []int{16000, 14000, 12000, 12000, 10000, 9000, 8000, 8000, 6000, 6000, 5000, 4000, 3000}, 1000.0
		for _, size := range sizes {
			sum += float64(size)
		}
		c.step("fill one array", func() { c.fillFirst(sizes...) })
		c.awaitProvisioned(firstBackend, sum)
		c.step("commands of a plan that empties it", c.commandsOfEvacuation)
		c.step("refusals that the plan names", c.refusalsOfEvacuation)
		c.step("even by delete and create", c.evenOut)
	})
}

// commandsOfEvacuation types each command of a plan. The copy needs an initiator, which
// this machine does not have: what counts is that the scheduler accepts it.
func (c *wholeCloud) commandsOfEvacuation() {
	p := c.plan(4, "--evacuate", firstBackend).Pools[0]
	if len(p.Moves) != 13 || len(p.CannotMove) != 2 {
		c.t.Fatalf("%d moves, and %d volumes cannot be moved", len(p.Moves), len(p.CannotMove))
	}
	for _, m := range p.Moves {
		mark, made := len(c.Scheduler.Log()), c.volumesEver(backendOfPool(m.To))
		cmd := exec.CommandContext(c.t.Context(), "sh", "-c", m.Command)
		cmd.Env = append(os.Environ(), "OS_CLIENT_CONFIG_FILE="+filepath.Join(c.Dir(), "clouds.yaml"))
		cmd.WaitDelay = 5 * time.Second
		if out, err := cmd.CombinedOutput(); err != nil {
			c.t.Fatalf("%s: %v\n%s", m.Command, err, out)
		}
		c.endMigration(m.ID)
		if strings.Contains(c.Scheduler.Log()[mark:], refusedMigration) || c.volumesEver(backendOfPool(m.To)) <= made {
			c.t.Errorf("%s: no volume was created on %s", m.Command, m.To)
		}
	}
}

// endMigration waits until a volume is no longer migrating.
func (c *wholeCloud) endMigration(id string) {
	c.t.Helper()
	c.await("the migration of "+id+" to end", func() error {
		v, err := c.API.Volume(c.t.Context(), id)
		if err == nil && (v.Status != "available" || v.Migration != "error") {
			err = fmt.Errorf("it is %s, its migration %s", v.Status, v.Migration)
		}
		return err
	})
}

// refusalsOfEvacuation requests what the plan says would be refused.
func (c *wholeCloud) refusalsOfEvacuation() {
	reasons := map[string]string{}
	ids := map[string]string{}
	for _, s := range c.plan(4, "--evacuate", firstBackend).Pools[0].CannotMove {
		reasons[s.Name], ids[s.Name] = strings.Join(s.Reasons, "; "), s.ID
	}
	if !strings.Contains(reasons["with-snapshot"], "has snapshots") || !strings.Contains(reasons["pinned"], "rack r2 is not r1") {
		c.t.Errorf("the reasons are %v", reasons)
	}
	err := c.API.Migrate(c.t.Context(), ids["with-snapshot"], secondBackend+"#"+cloud.Pool)
	if status := (*cloud.StatusError)(nil); !errors.As(err, &status) || !strings.Contains(status.Message, "have snapshots") {
		c.t.Errorf("the migration of the volume with a snapshot ends with %v", err)
	}
	for _, to := range []string{secondBackend, "ctl1@flasharray_x_03"} {
		mark := len(c.Scheduler.Log())
		c.must(c.API.Migrate(c.t.Context(), ids["pinned"], to+"#"+cloud.Pool))
		c.endMigration(ids["pinned"])
		if !strings.Contains(c.Scheduler.Log()[mark:], refusedMigration) {
			c.t.Errorf("the scheduler accepts the pinned volume on %s", to)
		}
	}
}

// evenOut makes the moves of a plan by delete and create, and compares.
func (c *wholeCloud) evenOut() {
	before := c.plan(0, "--max-moves", "100").Pools[0]
	if len(before.Moves) < 3 {
		c.t.Fatalf("%d moves", len(before.Moves))
	}
	var last map[string]int
	for _, m := range before.Moves {
		c.delete(m.ID)
		c.place(m.Name, m.Size, "on-"+strings.ReplaceAll(strings.TrimPrefix(backendOfPool(m.To), "ctl1@flasharray_"), "_", "-"))
	}
	last = c.volumesByBackend()
	for _, a := range before.Arrays {
		c.awaitProvisioned("ctl1@"+a.Backend, float64(last["ctl1@"+a.Backend]))
	}
	after := c.plan(0, "--max-moves", "100").Pools[0]
	if len(after.Moves) > 0 {
		c.t.Errorf("%d moves are left", len(after.Moves))
	}
	for i, a := range before.Arrays {
		b := after.Arrays[i]
		c.t.Logf("%s: provisioned %.1f %%, predicted %.1f %%, then %.1f %%; volumes %d, %d, %d", a.Backend, 100*(*a.Before.Provisioned), 100*(*a.After.Provisioned),
			100*(*b.Before.Provisioned), a.Before.Volumes, a.After.Volumes, b.Before.Volumes)
		if a.Backend != b.Backend || a.After.Volumes != b.Before.Volumes || math.Abs(*a.After.Provisioned-*b.Before.Provisioned) > 0.002 || math.Abs(*a.After.Used-*b.Before.Used) > 0.002 {
			c.t.Errorf("%s: predicted %+v, then %+v", a.Backend, a.After, b.Before)
		}
	}
}

// volumesByBackend is the sum of the sizes of the volumes, by backend.
func (c *wholeCloud) volumesByBackend() map[string]int {
	c.t.Helper()
	all, err := c.API.Volumes(c.t.Context())
	c.must(err)
	sum := map[string]int{}
	for _, v := range all {
		sum[v.Backend()] += v.Size
	}
	return sum
}

func backendOfPool(pool string) string {
	backend, _, _ := strings.Cut(pool, "#")
	return backend
}
