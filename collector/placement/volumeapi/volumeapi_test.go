package volumeapi

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement/cinder"
)

func typeOf(specs ...string) *cinder.VolumeType {
	t := &cinder.VolumeType{Name: "gold"}
	for i := 0; i < len(specs); i += 2 {
		t.ExtraSpecs = append(t.ExtraSpecs, cinder.Spec(specs[i], specs[i+1]))
	}
	return t
}

// refusedWith is the exception of a refusal, "" if there is none.
func refusedWith(t *testing.T, err error) string {
	t.Helper()
	refusal, ok := errors.AsType[*RefusalError](err)
	if err != nil && !ok {
		t.Fatalf("%v is no refusal", err)
	}
	if err == nil {
		return ""
	}
	return refusal.Exception
}

// TestZones follows _extract_availability_zones in
// cinder/volume/flows/api/create_volume.py.
func TestZones(t *testing.T) {
	dc := Settings{StorageZone: "dc1"}
	fallback := Settings{StorageZone: "dc1", DefaultZone: "dc2", ZoneFallback: true}
	zones := func(text string) *cinder.VolumeType { return typeOf(ZonesKey, text) }
	for name, c := range map[string]struct {
		settings Settings
		create   Create
		want     string // zones, or the exception
		source   ZoneSource
	}{
		"requested":               {dc, Create{Zone: "dc2"}, "dc2", Requested},
		"storage zone":            {dc, Create{}, "dc1", StorageZone},
		"default zone":            {Settings{StorageZone: "dc1", DefaultZone: "dc2"}, Create{}, "dc2", DefaultZone},
		"unknown":                 {dc, Create{Zone: "dc9"}, "InvalidAvailabilityZone", ""},
		"unknown default":         {Settings{StorageZone: "dc1", DefaultZone: "dc9"}, Create{}, "InvalidAvailabilityZone", ""},
		"storage zone, unused":    {Settings{StorageZone: "nova"}, Create{}, "nova", StorageZone},
		"fallback":                {fallback, Create{Zone: "dc9"}, "dc2", DefaultZone},
		"empty storage zone":      {Settings{}, Create{}, "dc1 dc2", AnyZone},
		"type":                    {dc, Create{Type: zones("dc2")}, "dc2", OfType},
		"type of several":         {dc, Create{Type: zones(" dc2 ,dc9,,dc1")}, "dc2 dc1", OfType},
		"type and requested":      {dc, Create{Type: zones("dc2,dc1"), Zone: "dc1"}, "dc1", Requested},
		"type without requested":  {dc, Create{Type: zones("dc2"), Zone: "dc1"}, "InvalidAvailabilityZone", ""},
		"type, fallback outside":  {Settings{StorageZone: "dc1", ZoneFallback: true}, Create{Type: zones("dc2"), Zone: "dc9"}, "dc1", StorageZone},
		"type of unknown zones":   {dc, Create{Type: zones("dc9")}, "InvalidTypeAvailabilityZones", ""},
		"type with an empty list": {dc, Create{Type: zones("")}, "InvalidTypeAvailabilityZones", ""},
		"type with a blank":       {dc, Create{Type: zones(" ")}, "InvalidTypeAvailabilityZones", ""},
		"clone":                   {dc, Create{SourceZone: "dc2"}, "dc2", OfSource},
		"clone elsewhere":         {dc, Create{SourceZone: "dc2", Zone: "dc1"}, "InvalidInput", ""},
		"clone may be elsewhere":  {Settings{StorageZone: "dc1", CloneOtherAZ: true}, Create{SourceZone: "dc2", Zone: "dc1"}, "dc1", Requested},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Cloud{Settings: c.settings, Zones: []string{"dc1", "dc2"}}.ChooseZones(c.create)
			text := refusedWith(t, err)
			if err == nil {
				text = strings.Join(got.Names, " ")
			}
			if text != c.want || err == nil && got.Source != c.source {
				t.Errorf("got %q by %s, want %q by %s (%v)", text, got.Source, c.want, c.source, err)
			}
		})
	}
}

func TestUnknownZonesAreAccepted(t *testing.T) {
	r, err := Cloud{}.Create(Create{Size: 1, Zone: "dc9"})
	if err != nil || r.Zone != "dc9" {
		t.Errorf("got %+v, %v", r, err)
	}
	if r, err = (Cloud{}).Create(Create{Size: 1}); err != nil || r.Zone != "" || r.Zones != nil {
		t.Errorf("without any zone: %+v, %v", r, err)
	}
}

func TestZoneNote(t *testing.T) {
	c := Cloud{Settings: Settings{StorageZone: "nova", ZoneFallback: true}, Zones: []string{"dc1"}}
	for want, q := range map[string]Create{
		"nova by storage_availability_zone of this host's cinder.conf; the file of the API host counts. No backend is in it": {},
		"the zone dc9 has no volume service: nova in its place":                                                              {Zone: "dc9"},
		"dc1 by RESKEY:availability_zones of the type":                                                                       {Type: typeOf(ZonesKey, "dc1")},
		"dc1, the zone of the source":                                                                                        {SourceZone: "dc1"},
	} {
		z, err := c.ChooseZones(q)
		if note := c.ZoneNote(z); err != nil || !strings.Contains(note, want) {
			t.Errorf("%+v: %q, %v, want %q", q, note, err, want)
		}
	}
	z, _ := c.ChooseZones(Create{Zone: "dc1"})
	if note := c.ZoneNote(z); note != "" {
		t.Errorf("a requested zone has the note %q", note)
	}
}

func TestCreateFillsProperties(t *testing.T) {
	q := Create{
		Size: 5, Type: typeOf("multiattach", "<is> True"), QoS: capability.Set{"maxIOPS": capability.OfString("5")}, Zone: "dc1",
		SourceBackend: "h@b#p", Hints: Hints{SameHost: []string{"a"}, DifferentHost: []string{"b"}, Query: "[]"},
		Properties: capability.Set{"display_name": capability.OfString("x")},
	}
	r, err := Cloud{}.Create(q)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"size": "5", "multiattach": "True", "status": "creating", "attach_status": "detached", "availability_zone": "dc1",
		"display_name": "x", "encryption_key_id": "None", "qos_specs": `{"maxIOPS":"5"}`, "metadata": "{}",
	} {
		if v, ok := r.Properties[name]; !ok || v.String() != want {
			t.Errorf("%s is %v, want %s", name, v, want)
		}
	}
	if _, ok := r.Properties["bootable"]; ok {
		t.Error("bootable is not in VolumeProperties of Cinder")
	}
	if r.ResourceBackend != "h@b#p" || r.SameAs[0] != "a" || r.DifferentFrom[0] != "b" || r.Query != "[]" {
		t.Errorf("got %+v", r)
	}
	q.FromSnapshot = true
	if r, err = (Cloud{Settings: Settings{SnapshotOtherHost: true}}).Create(q); err != nil || r.ResourceBackend != "" {
		t.Errorf("a snapshot without snapshot_same_host: %+v, %v", r, err)
	}
}

func TestSizeLimits(t *testing.T) {
	limited := typeOf("provisioning:min_vol_size", "10", "provisioning:max_vol_size", " 20 ")
	for size, want := range map[int64]string{9: "InvalidInput", 10: "", 20: "", 21: "InvalidInput"} {
		if _, err := (Cloud{}).Create(Create{Size: size, Type: limited}); refusedWith(t, err) != want {
			t.Errorf("%d GiB: %v, want %q", size, err, want)
		}
	}
	_, err := Cloud{}.Create(Create{Size: 1, Type: typeOf("provisioning:min_vol_size", "ten")})
	if refusedWith(t, err) != "ValueError" {
		t.Errorf("got %v", err)
	}
	if LeastSize(limited) != 10 || LeastSize(nil) != 1 {
		t.Error("the least size of a type is wrong")
	}
}

func TestMoves(t *testing.T) {
	on := Volume{Pool: "h@a#p", Zone: "dc1", Size: 10}
	with := func(change func(*Volume)) Volume {
		v := on
		change(&v)
		return v
	}
	inUse := with(func(v *Volume) { v.InUse = true })
	var c Cloud
	for name, m := range map[string]struct {
		ask  func() (*cinder.Request, error)
		want string
	}{
		"extend":            {func() (*cinder.Request, error) { return c.Extend(Extend{on, 20}) }, ""},
		"extend to less":    {func() (*cinder.Request, error) { return c.Extend(Extend{on, 10}) }, "InvalidInput"},
		"migrate":           {func() (*cinder.Request, error) { return c.Migrate(Migrate{Volume: on, To: "h@b#p"}) }, ""},
		"migrate to itself": {func() (*cinder.Request, error) { return c.Migrate(Migrate{Volume: on, To: "h@a#p"}) }, "InvalidVolume"},
		"migrate in a cluster": {func() (*cinder.Request, error) {
			return c.Migrate(Migrate{Volume: on, To: "h@a#p", ToCluster: true})
		}, ""},
		"migrate snapshots": {func() (*cinder.Request, error) {
			return c.Migrate(Migrate{Volume: with(func(v *Volume) { v.Snapshots = true }), To: "h@b#p"})
		}, "InvalidVolume"},
		"retype": {func() (*cinder.Request, error) { return c.Retype(Retype{Volume: on, NewType: typeOf()}) }, ""},
		"retype to the same": {func() (*cinder.Request, error) {
			return c.Retype(Retype{Volume: with(func(v *Volume) { v.Type = typeOf() }), NewType: typeOf()})
		}, "InvalidVolume"},
		"retype multiattach": {func() (*cinder.Request, error) {
			return c.Retype(Retype{Volume: inUse, NewType: typeOf("multiattach", "<is> True")})
		}, "InvalidInput"},
		"retype QoS": {func() (*cinder.Request, error) {
			return c.Retype(Retype{Volume: inUse, NewType: typeOf(), QoSChanges: true})
		}, "InvalidVolume"},
		"retype in a group": {func() (*cinder.Request, error) {
			return c.Retype(Retype{Volume: with(func(v *Volume) { v.Grouped = true }), NewType: typeOf()})
		}, "InvalidVolume"},
	} {
		if _, err := m.ask(); refusedWith(t, err) != m.want {
			t.Errorf("%s: %v, want %q", name, err, m.want)
		}
	}
	r, err := c.Retype(Retype{Volume: on, NewType: typeOf(ZonesKey, "dc8, dc9")})
	if err != nil || r.ExistsOn != "h@a#p" || !slices.Equal(r.Zones, []string{"dc8", "dc9"}) {
		t.Errorf("a retype has the zones of the new type, existing or not: %+v, %v", r, err)
	}
}

// volumes are the pools of volumes by id.
type volumes map[string]string

func (v volumes) Host(_ context.Context, id string) (string, error) {
	if host, ok := v[id]; ok {
		return host, nil
	}
	return "", errors.New("no such volume")
}

func TestHints(t *testing.T) {
	const id = "5f5a43e0-3e6b-4a7a-9d0e-3a5d2b8f6c1d"
	reports := []capability.Report{
		{Host: "ctl1@fa1", Backend: "fa1", Pool: "gold", Capabilities: capability.Set{}},
		{Host: "ctl1@fa2", Backend: "fa2", Pool: "gold", Capabilities: capability.Set{}},
		{Host: "ctl2@fa2", Backend: "fa2", Pool: "gold", Capabilities: capability.Set{}},
	}
	first := cinder.PoolID(&reports[0])
	reader := HintReader{Backends: reports, Volumes: volumes{id: "ctl1@fa1#gold"}}
	var h Hints
	for _, hint := range [][2]string{{"same_host", "fa1"}, {"same_host", first}, {"different_host", "ctl2@fa2"}, {"different_host", id}, {"query", "[]"}, {"local_to_instance", "cmp1"}} {
		if err := reader.Read(t.Context(), &h, hint[0], hint[1]); err != nil {
			t.Errorf("%v: %v", hint, err)
		}
	}
	if len(h.SameHost) != 1 || h.SameHost[0] != first || len(h.DifferentHost) != 2 || h.DifferentHost[1] != "ctl1@fa1#gold" || h.Query != "[]" || h.InstanceHost != "cmp1" {
		t.Errorf("got %+v", h)
	}
	reader.Volumes = nil
	for want, hint := range map[string][2]string{
		"add --os-cloud":                   {"same_host", id},
		"2 backends have the name \"fa2\"": {"same_host", "fa2"},
		"there is no backend \"fa9\"":      {"same_host", "fa9"},
		"in place of its id":               {"local_to_instance", id},
		"no filter of Cinder":              {"group", "x"},
	} {
		if err := reader.Read(t.Context(), &h, hint[0], hint[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", hint, err, want)
		}
	}
}
