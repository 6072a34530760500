package input

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/poolcast/poolcast/cmd/poolcast/internal/decision"
	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
	"github.com/poolcast/poolcast/collector/placement/volumeapi"
)

// Move says that a request is about a source or a volume that exists, as the flags do.
// Backends are named by their section, host@backend or pool.
type Move struct {
	CloneOf     string // --clone-of, a backend
	SnapshotOf  string // --snapshot-of, a backend
	RetypeOf    string // --retype-of, a backend
	FromType    string // --from-type, a name in the file of --types
	Policy      string // --migration-policy
	Extend      string // --extend, a backend
	FromSize    int64  // --from-size, in GiB
	MigrateFrom string // --migrate-from, a backend
	To          string // --to, a backend
	InUse       bool   // --in-use
}

// Backends are the backends that the flags name.
func (m *Move) Backends() []string {
	return slices.DeleteFunc([]string{m.CloneOf, m.SnapshotOf, m.RetypeOf, m.Extend, m.MigrateFrom, m.To}, func(name string) bool { return name == "" })
}

// Check refuses flags that do not go together.
func (m *Move) Check(v *Volume) error {
	var kinds []string
	for _, f := range []struct{ flag, value string }{
		{"--clone-of", m.CloneOf}, {"--snapshot-of", m.SnapshotOf}, {"--retype-of", m.RetypeOf}, {"--extend", m.Extend}, {"--migrate-from", m.MigrateFrom},
	} {
		if f.value != "" {
			kinds = append(kinds, f.flag)
		}
	}
	exists := m.RetypeOf+m.Extend+m.MigrateFrom != ""
	switch {
	case len(kinds) > 1:
		return fmt.Errorf("%s are different requests: choose one", strings.Join(kinds, " and "))
	case (m.MigrateFrom == "") != (m.To == ""):
		return errors.New("--migrate-from and --to are the two backends of a migration: give both")
	case (m.Extend == "") != (m.FromSize == 0):
		return errors.New("--extend needs --from-size, the present size; --size is the new one")
	case m.FromSize < 0:
		return fmt.Errorf("--from-size %d: want a whole number of GiB, 1 or more", m.FromSize)
	case m.RetypeOf != "" && v.Type == "" && len(v.Properties) == 0:
		return errors.New("--retype-of needs the new type: --type with --types, or --property")
	case m.RetypeOf == "" && (m.FromType != "" || m.Policy != volumeapi.Never):
		return errors.New("--from-type and --migration-policy need --retype-of")
	case m.InUse && !exists:
		return errors.New("--in-use is about a volume that exists: it needs --retype-of, --extend or --migrate-from")
	case exists && (v.Zone != "" || len(v.QoS)+len(v.Hints) > 0):
		return fmt.Errorf("%s is about a volume that exists, and --availability-zone, --qos and --hint are about a new one", kinds[0])
	}
	return nil
}

// Question is the request about a volume: create is that for a new one.
func (m *Move) Question(v *Volume, create *volumeapi.Create, reports []capability.Report) (q decision.Question, err error) {
	name := m.CloneOf + m.SnapshotOf + m.RetypeOf + m.Extend + m.MigrateFrom
	if name == "" {
		return decision.Question{Create: create}, nil
	}
	at, err := volumeapi.Backend(reports, name)
	if err != nil {
		return q, err
	}
	old := volumeapi.Volume{Pool: cinder.PoolID(at), Zone: at.Zone, Size: create.Size, Type: create.Type, InUse: m.InUse, Properties: create.Properties}
	switch {
	case m.RetypeOf != "":
		q.Retype, err = m.retype(v, old)
	case m.Extend != "":
		old.Size = m.FromSize
		q.Extend = &volumeapi.Extend{Volume: old, NewSize: create.Size}
	case m.MigrateFrom != "":
		to, err := volumeapi.Backend(reports, m.To)
		if err != nil {
			return q, fmt.Errorf("--to: %w", err)
		}
		q.Migrate = &volumeapi.Migrate{Volume: old, To: cinder.PoolID(to), ToCluster: to.Cluster != ""}
	default:
		create.SourceBackend, create.SourceZone, create.FromSnapshot = old.Pool, at.Zone, m.SnapshotOf != ""
		q.Create = create
	}
	return q, err
}

func (m *Move) retype(v *Volume, old volumeapi.Volume) (*volumeapi.Retype, error) {
	q := &volumeapi.Retype{Volume: old, NewType: old.Type, Policy: m.Policy}
	q.Type = nil
	if m.FromType != "" {
		t, err := v.NamedType("--from-type", m.FromType)
		if err != nil {
			return nil, err
		}
		q.Type = &t
	}
	return q, nil
}
