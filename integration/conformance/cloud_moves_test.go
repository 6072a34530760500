//go:build conformance

package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/integration/internal/cloud"
)

// What the scheduler logs when it refuses a request about a volume that exists
// (cinder/scheduler/manager.py, _set_volume_state_and_notify).
const (
	refusedMigration = "Failed to schedule_migrate_volume_to_host"
	refusedRetype    = "Failed to schedule_retype"
)

// move is a request that may bring a volume to another backend.
type move struct {
	name   string
	flags  string       // of poolcast place
	send   func() error // the request
	api    string       // what cinder-api refuses with, "" if it does not
	reason string       // what place says
	to     string       // the backend that the scheduler chooses, "" if it refuses
	refuse string       // the line of the scheduler that refuses
}

// moves requests migrations and retypes that need one. The copy of a volume to another
// array needs an initiator, which this machine does not have: what counts is where the
// scheduler sends the volume to. cinder-volume creates the destination of the copy there,
// and deletes it when the copy fails.
func (c *wholeCloud) moves() {
	v := c.create(cloud.Volume{Name: "moved", Size: 10, Type: "on-x-01"})
	if v.Backend() != firstBackend {
		c.t.Fatalf("the volume is on %s", v.Host)
	}
	for _, m := range slices.Concat(c.pinned(v.ID), c.migrations(v.ID), c.retypes(v.ID)) {
		c.move(v.ID, m)
	}
	c.refusesWithSnapshot(v)
	c.delete(v.ID)
}

func (c *wholeCloud) migrate(id, to string) func() error {
	return func() error { return c.API.Migrate(c.t.Context(), id, to+"#"+cloud.Pool) }
}

func (c *wholeCloud) retype(id, to, policy string) func() error {
	return func() error { return c.API.Retype(c.t.Context(), id, to, policy) }
}

// pinned are requests for a volume whose type only the first backend meets. The last one
// gives it the type gold.
func (c *wholeCloud) pinned(id string) []move {
	return []move{
		{
			name: "migration that the type refuses", flags: "--migrate-from flasharray_x_01 --to flasharray_x_02" + asType("on-x-01"),
			send: c.migrate(id, secondBackend), reason: "rack r2 is not r1", refuse: refusedMigration,
		},
		{
			name: "retype on its array", flags: "--retype-of flasharray_x_01 --from-type on-x-01" + asType("gold"),
			send: c.retype(id, "gold", "never"), to: firstBackend,
		},
	}
}

func (c *wholeCloud) migrations(id string) []move {
	from := func(to string) string { return "--migrate-from flasharray_x_01 --to " + to + asType("gold") }
	return []move{
		{
			name: "migration to the same backend", flags: from("flasharray_x_01"),
			send: c.migrate(id, firstBackend), api: "must be different than the current one", reason: "already",
		},
		{name: "migration without room", flags: from(fullBackend), send: c.migrate(id, fullBackend), reason: "CapacityFilter", refuse: refusedMigration},
		{name: "migration", flags: from("flasharray_x_02"), send: c.migrate(id, secondBackend), to: secondBackend},
		{name: "migration to another zone", flags: from(thirdBackend), send: c.migrate(id, thirdBackend), to: thirdBackend},
	}
}

func (c *wholeCloud) retypes(id string) []move {
	const from = "--retype-of flasharray_x_01 --from-type gold"
	const onDemand = " --migration-policy on-demand"
	return []move{
		{
			name: "retype that may not migrate", flags: from + asType("quiet"),
			send: c.retype(id, "quiet", "never"), reason: "is not <= 700", refuse: refusedRetype,
		},
		{name: "retype that migrates", flags: from + onDemand + asType("quiet"), send: c.retype(id, "quiet", "on-demand"), to: secondBackend},
		{
			name: "retype that fits nowhere", flags: from + onDemand + asType("unknown"),
			send: c.retype(id, "unknown", "on-demand"), reason: "volume_backend_name", refuse: refusedRetype,
		},
	}
}

// asType are flags for a volume of a type.
func asType(name string) string { return " --size 10 --os-cloud poolcast --type " + name }

// refusesWithSnapshot requests a migration of a volume with a snapshot, which poolcast
// place does not know of, and says so.
func (c *wholeCloud) refusesWithSnapshot(v cloud.VolumeStatus) {
	c.t.Helper()
	ctx := c.t.Context()
	snapshot, err := c.API.CreateSnapshot(ctx, v.ID, "of moved")
	c.must(err)
	_, err = c.API.AwaitSnapshot(ctx, snapshot, "available")
	c.must(err)
	c.shows("ctl1", "place --migrate-from flasharray_x_01 --to flasharray_x_02 --size 10 --source scheduler --os-cloud poolcast --type gold",
		"cinder-api also refuses a volume with snapshots")
	err = c.API.Migrate(ctx, v.ID, secondBackend+"#"+cloud.Pool)
	if status := (*cloud.StatusError)(nil); !errors.As(err, &status) || !strings.Contains(status.Message, "have snapshots") {
		c.t.Errorf("the migration of a volume with a snapshot ends with %v", err)
	}
	c.must(c.API.DeleteSnapshot(ctx, snapshot))
	c.must(c.API.AwaitSnapshotDeleted(ctx, snapshot))
}

// move compares one request with what poolcast place says, and waits for its end.
func (c *wholeCloud) move(id string, m move) {
	c.t.Helper()
	before, err := c.API.Volume(c.t.Context(), id)
	c.must(err)
	said := c.agreesOnMove("ctl1", m.flags, m.to)
	if !strings.Contains(said, m.reason) {
		c.t.Errorf("%s: place says %s, and not %q", m.name, said, m.reason)
	}
	mark := len(c.Scheduler.Log())
	var made float64
	if m.to != "" && m.to != before.Backend() {
		made = c.volumesEver(m.to)
	}
	err = m.send()
	if m.api != "" {
		if status := (*cloud.StatusError)(nil); !errors.As(err, &status) || !strings.Contains(status.Message, m.api) {
			c.t.Errorf("%s: cinder-api responded %v, want %q", m.name, err, m.api)
		}
		return
	}
	c.must(err)
	c.await(m.name+" to end", func() error {
		v, err := c.API.Volume(c.t.Context(), id)
		if err == nil && (v.Status != "available" || v.Migration != "" && v.Migration != "error" && v.Migration != "success") {
			err = fmt.Errorf("it is %s, its migration %s", v.Status, v.Migration)
		}
		return err
	})
	if refused := strings.Contains(c.Scheduler.Log()[mark:], "Failed to schedule_"); refused != (m.refuse != "") || refused && !strings.Contains(c.Scheduler.Log()[mark:], m.refuse) {
		c.t.Errorf("%s: the scheduler refused: %t, want %q", m.name, refused, m.refuse)
	}
	if made > 0 && c.volumesEver(m.to) <= made {
		c.t.Errorf("%s: no volume was created on %s", m.name, m.to)
	}
}

// volumesEver is how many volumes an array has, with those that are destroyed.
func (c *wholeCloud) volumesEver(backend string) float64 {
	c.t.Helper()
	_, stanza, _ := strings.Cut(backend, "@")
	items, err := c.Items(c.t.Context(), stanza, "volumes?limit=1000")
	c.must(err)
	return float64(len(items))
}
