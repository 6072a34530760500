package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

const gib = 1 << 30

func TestWritableVolumeVisibleInEveryList(t *testing.T) {
	l, clock := newWritable(t)
	provisioned := l.value("arrays/space", "space.total_provisioned").(float64)
	volumes := l.counted("volumes")
	check := func(step string, count, live, gibs int) {
		t.Helper()
		if n := l.counted("volumes"); n != volumes+count {
			t.Errorf("%s: %d volumes, want %d", step, n, volumes+count)
		}
		if n := l.counted("volumes?destroyed=false"); n != volumes+live {
			t.Errorf("%s: %d live volumes, want %d", step, n, volumes+live)
		}
		for _, path := range []string{"arrays", "arrays/space"} {
			if grown := l.value(path, "space.total_provisioned").(float64) - provisioned; grown != float64(gibs*gib) {
				t.Errorf("%s: %s grew by %.0f bytes, want %d GiB", step, path, grown, gibs)
			}
		}
	}
	total := func() float64 { return l.get("volumes?total_only=true").Total[0]["provisioned"].(float64) }
	before := total()
	l.must(`POST volumes?names=a {"provisioned":1073741824}`)
	check("create", 1, 1, 1)
	if grown := total() - before; grown != gib {
		t.Errorf("the total grew by %.0f bytes", grown)
	}
	l.must(`PATCH volumes?names=A {"provisioned":3221225472}`)
	check("extend", 1, 1, 3)
	if grown := total() - before; grown != 3*gib {
		t.Errorf("the total grew by %.0f bytes after an extension", grown)
	}
	l.must(`PATCH volumes?names=a {"destroyed":true}`)
	check("destroy", 1, 0, 0)
	l.must(`PATCH volumes?names=a {"destroyed":false}`)
	check("recover", 1, 1, 3)
	l.must(`PATCH volumes?names=a {"destroyed":true}`)
	clock.advance(time.Hour)
	l.expect("volumes?names=a", "time_remaining", 23*3600*1000)
	clock.advance(23 * time.Hour)
	check("eradication by the clock", 0, 0, 0)
	l.must(`POST volumes?names=a {"provisioned":1073741824}`, `PATCH volumes?names=a {"destroyed":true}`, `DELETE volumes?names=a`)
	check("eradicate", 0, 0, 0)
}

func TestWritableHistoryKeepsSizes(t *testing.T) {
	l, clock := newWritable(t)
	first := l.value("arrays/space", "space.total_provisioned").(float64)
	clock.advance(time.Hour)
	l.must(`POST volumes?names=a {"provisioned":1073741824}`)
	clock.advance(time.Hour)
	var sizes []float64
	for _, item := range l.get("arrays/space?resolution=1800000&start_time=1790000000000").Items {
		sizes = append(sizes, item["space"].(map[string]any)["total_provisioned"].(float64)-first)
	}
	if len(sizes) != 4 || sizes[0] != 0 || sizes[1] != 0 || sizes[2] != gib || sizes[3] != gib {
		t.Errorf("the sizes grew by %v", sizes)
	}
}

func TestWritableCopies(t *testing.T) {
	l, _ := newWritable(t)
	l.must(`POST volumes?names=a {"provisioned":2147483648}`, `POST volume-snapshots?source_names=a {"suffix":"s"}`,
		`POST volumes?names=b {"source":{"name":"a"}}`, `POST volumes?names=c {"source":{"name":"a.s"}}`,
		`PATCH volumes?names=a {"provisioned":4294967296}`)
	for _, name := range []string{"b", "c"} {
		l.expect("volumes?names="+name, "provisioned", 2*gib)
		l.expect("volumes?names="+name, "source.name", "a")
	}
	l.must(`POST volumes?names=a&overwrite=true {"source":{"name":"a.s"}}`)
	l.expect("volumes?names=a", "provisioned", 2*gib)
	if n := l.counted("volumes?filter=source.name='a'"); n != 3 {
		t.Errorf("%d volumes have a as their source", n)
	}
}

func TestWritableIdsDependOnArrayAndOrderOnly(t *testing.T) {
	id := func() any {
		l, _ := newWritable(t)
		return l.must(`POST volumes?names=a {"provisioned":1048576}`)[0]["id"]
	}
	if first, second := id(), id(); first != second {
		t.Errorf("the ids are %v and %v", first, second)
	}
}

func TestWritableNamesFollow(t *testing.T) {
	l, _ := newWritable(t)
	l.must(`POST volumes?names=a {"provisioned":1048576}`, `POST volume-snapshots?source_names=a {"suffix":"s"}`,
		`POST protection-groups?names=g`, `POST protection-groups/volumes?group_names=g&member_names=a`,
		`POST connections?host_names=compute-0001&volume_names=a`, `POST volumes?names=copy {"source":{"name":"a"}}`,
		`PUT volumes/tags/batch?resource_names=a [{"key":"k","value":"v","namespace":"n"}]`,
		`PATCH volumes?names=a {"name":"z"}`)
	l.expect("volume-snapshots?names=z.s", "source.name", "z")
	l.expect("protection-groups/volumes?group_names=g", "member.name", "z")
	l.expect("connections?volume_names=z", "host.name", "compute-0001")
	l.expect("volumes?names=copy", "source.name", "z")
	l.expect("volumes/tags?resource_names=z&namespaces=n", "value", "v")
	l.must(`PATCH volume-snapshots?names=z.s {"name":"z.other"}`)
	l.expect("volume-snapshots?names=z.other", "suffix", "other")
	l.must(`DELETE volumes/tags?resource_names=z&namespaces=n`)
	if n := l.counted("volumes/tags"); n != 0 {
		t.Errorf("%d tags are left", n)
	}
}

func TestWritableContainers(t *testing.T) {
	l, _ := newWritable(t)
	l.must(`POST volume-groups?names=gold {"qos":{"iops_limit":1000}}`, `POST volumes?names=gold/a {"provisioned":1073741824}`)
	l.expect("volume-groups?names=gold", "volume_count", 1)
	l.expect("volume-groups?names=gold", "space.total_provisioned", gib)
	l.must(`PATCH volumes?names=gold/a {"volume_group":{"name":""}}`)
	l.expect("volume-groups?names=gold", "volume_count", 0)
	l.must(`POST pods?names=p {}`, `PATCH volumes?names=a {"pod":{"name":"p"}}`)
	l.expect("volumes?names=p::a", "pod.name", "p")
	l.expect("pods?names=p", "space.total_provisioned", gib)
	l.expect("container-default-protections?names=p", "type", "pod")
	l.must(`POST protection-groups?names=p::g`, `PATCH container-default-protections?names=p {"default_protections":[{"name":"p::g"}]}`,
		`POST volumes?names=p::b {"provisioned":1048576}`)
	l.expect("protection-groups?names=p::g", "volume_count", 1)
	if got := l.refused(`PATCH pods?names=p {"destroyed":true}`); got != "p: Pod is not empty." {
		t.Error(got)
	}
	l.must(`PATCH pods?names=p&destroy_contents=true {"destroyed":true}`, `DELETE pods?names=p&eradicate_contents=true`,
		`PATCH volume-groups?names=gold {"destroyed":true}`, `DELETE volume-groups?names=gold`)
	for _, list := range []string{"pods", "volume-groups", "volumes?filter=name='p::*'", "protection-groups?filter=name='p::*'"} {
		if names := l.names(list); names != "" {
			t.Errorf("%s has %s", list, names)
		}
	}
}

func TestWritableRecordedVolumeGroup(t *testing.T) {
	l := newEnvironment(t, "flasharray-c-01", simulator.Options{Writable: true})
	l.expect("volume-groups?names=archive", "volume_count", 2)
	l.expect("volume-groups?names=archive", "space.total_provisioned", 16<<40)
}

func TestWritableConnections(t *testing.T) {
	l, _ := newWritable(t)
	connected := int(l.value("hosts?names=compute-0001", "connection_count").(float64))
	if n := l.counted("connections?host_names=compute-0001"); n != connected {
		t.Errorf("%d connections of a host that counts %d", n, connected)
	}
	l.must(`POST volumes?names=a,b {"provisioned":1073741824}`, `POST hosts?names=h {"iqns":["iqn.x"],"personality":"esxi"}`)
	if lun := l.must(`POST connections?host_names=h&volume_names=a,b`)[1]["lun"]; lun != 2.0 {
		t.Errorf("the second LUN is %v", lun)
	}
	l.expect("volumes?names=a", "connection_count", 1)
	l.expect("hosts?names=h", "connection_count", 2)
	l.expect("hosts?names=h", "space.total_provisioned", 2*gib)
	l.must(`DELETE connections?host_names=h&volume_names=a`, `POST volumes?names=c {"provisioned":1048576}`)
	if lun := l.must(`POST connections?host_names=h&volume_names=c`)[0]["lun"]; lun != 1.0 {
		t.Errorf("a free LUN is not used again: %v", lun)
	}
	l.must(`PATCH hosts?names=h {"add_wwns":["10000000c9feed01"],"chap":{"host_user":"u","host_password":"secret"}}`)
	l.expect("hosts?filter=wwns='10000000C9FEED01'%20and%20is_local", "name", "h")
	l.expect("hosts?filter=wwns='10:00:00:00:C9:FE:ED:01'", "chap.host_password", "****")
	l.must(`PATCH hosts?names=h {"name":"i"}`)
	l.expect("connections?volume_names=b", "host.name", "i")
}

// TestWritableRefusals has the texts that Cinder's driver searches for, and what
// the simulator does not support. A refused change changes nothing.
func TestWritableRefusals(t *testing.T) {
	l, _ := newWritable(t)
	l.must(`POST volumes?names=a {"provisioned":1073741824}`, `POST volumes?names=gone {"provisioned":1048576}`,
		`PATCH volumes?names=gone {"destroyed":true}`, `POST hosts?names=h {"iqns":["iqn.x"]}`,
		`POST connections?host_names=h&volume_names=a`, `POST protection-groups?names=g,old`,
		`POST protection-groups/volumes?group_names=g&member_names=a`, `PATCH protection-groups?names=old {"destroyed":true}`,
		`POST volume-snapshots?source_names=a {"suffix":"s"}`, `POST pods?names=p {}`, `POST volume-groups?names=v {}`,
		`POST protection-group-snapshots?source_names=g {"suffix":"t"}`, `POST volumes?names=free {"provisioned":1048576}`)
	lists := []string{
		"volumes", "volume-snapshots", "hosts", "connections", "protection-groups", "protection-groups/volumes", "pods",
		"volume-groups", "protection-group-snapshots", "arrays/space", "container-default-protections", "volumes/tags",
	}
	contents := func() string {
		var all []string
		for _, list := range lists {
			all = append(all, string(l.request(list).body))
		}
		return strings.Join(all, "\n")
	}
	before := contents()
	for request, want := range refusals() {
		if got := l.refused(request); got != want {
			t.Errorf("%s\n got  %s\n want %s", request, got, want)
		}
	}
	if contents() != before {
		t.Error("a refused change changed something")
	}
}

func refusals() map[string]string {
	const size = "provisioned: Invalid size: it must be a multiple of 512 from 1048576 to 4503599627370496."
	return map[string]string{
		`POST volumes?names=A {"provisioned":1048576}`:                                  "A: Volume already exists.",
		`POST volumes?names=gone {"provisioned":1048576}`:                               "gone: Volume has been destroyed.",
		`POST volumes?names=n,n {"provisioned":1048576}`:                                "n: Volume already exists.",
		`POST volumes?names=n {"provisioned":1048577}`:                                  size,
		`POST volumes?names=n {}`:                                                       size,
		`POST volumes?names=n {"source":{"name":"none"}}`:                               "none: Source does not exist. No such volume or snapshot.",
		`POST volumes?names=q::n {"provisioned":1048576}`:                               "q: Pod does not exist.",
		`POST volumes?names=w/n {"provisioned":1048576}`:                                "w: Volume group does not exist.",
		`POST volumes {"provisioned":1048576}`:                                          "names: Missing required parameter.",
		`POST volumes?names=n {"provisioned":1048576,"workload":{}}`:                    "workload: The simulated array does not support this member of the body of POST volumes.",
		`POST volumes?names=n&allow_throttle=true {"provisioned":1}`:                    "allow_throttle: The simulated array does not support this parameter of POST volumes.",
		`POST volumes?names=n {`:                                                        "Invalid JSON in the body of the request.",
		`PATCH volumes?names=none {"destroyed":true}`:                                   "none: Volume does not exist.",
		`PATCH volumes?names=gone {"destroyed":true}`:                                   "gone: Volume does not exist.",
		`PATCH volumes?names=gone {"provisioned":2097152}`:                              "gone: Volume has been destroyed.",
		`PATCH volumes?names=a {"destroyed":true}`:                                      "a: Volume cannot be destroyed due to existing connections.",
		`PATCH volumes?names=a {"provisioned":1048576}`:                                 "a: Implicit truncation not permitted.",
		`PATCH volumes?names=a {"qos":{"iops_limit":99}}`:                               "iops_limit: Invalid limit: it must be from 100 to 100000000.",
		`PATCH volumes?names=a {"name":"p::a"}`:                                         "a: Volume cannot be renamed into another container. Move it there with pod or volume_group.",
		`PATCH volumes?names=a {"pod":{"name":"p"}}`:                                    "a: Volume cannot be moved because it belongs to protection group g.",
		`DELETE volumes?names=a`:                                                        "a: Volume is not destroyed. Destroy it before it is eradicated.",
		`POST volume-snapshots?source_names=a {"suffix":"s"}`:                           "a.s: Volume snapshot already exists.",
		`POST volume-snapshots?source_names=gone {"suffix":"s"}`:                        "gone: Volume has been destroyed.",
		`PATCH volume-snapshots?names=a.none {"destroyed":true}`:                        "a.none: Volume snapshot does not exist.",
		`PATCH volume-snapshots?names=g.t.a {"destroyed":true}`:                         "g.t.a: Volume snapshot is part of a protection group snapshot. Change that instead.",
		`PATCH volume-snapshots?names=a.s {"name":"b.s"}`:                               "a.s: Volume snapshot cannot be renamed to another volume's.",
		`POST hosts?names=h {}`:                                                         "h: Host already exists.",
		`POST hosts?names=i {"iqns":["iqn.x"]}`:                                         "i: The specified IQN is already in use.",
		`POST hosts?names=i {"wwns":["abc"]}`:                                           "i: Invalid WWN.",
		`PATCH hosts?names=none {"personality":"esxi"}`:                                 "none: Host does not exist.",
		`PATCH hosts?names=h {"personality":"dos"}`:                                     `personality: Invalid personality "dos".`,
		`DELETE hosts?names=h`:                                                          "h: Host cannot be deleted due to existing connections.",
		`POST connections?host_names=none&volume_names=a`:                               "none: Host does not exist.",
		`POST connections?host_names=h&volume_names=a`:                                  "a: Connection already exists.",
		`DELETE connections?host_names=compute-0002&volume_names=a`:                     "a: Connection does not exist.",
		`POST volume-groups?names=v {}`:                                                 "v: Volume group already exists.",
		`POST pods?names=P {}`:                                                          "P: Pod already exists.",
		`POST pods/arrays?group_names=p&member_names=flasharray-x-01`:                   "p: Array already exists in the pod.",
		`POST pods/arrays?group_names=p&member_names=flasharray-r-02`:                   "flasharray-r-02: Array connection does not exist.",
		`POST protection-groups?names=g`:                                                "g: Protection group already exists.",
		`POST protection-groups?names=old`:                                              "old: Protection group has been destroyed.",
		`PATCH protection-groups?names=old {"destroyed":true}`:                          "old: Protection group has been destroyed.",
		`POST protection-groups/volumes?group_names=g&member_names=a`:                   "a: Volume already belongs to the protection group.",
		`DELETE protection-groups/volumes?group_names=g&member_names=compute-0001-none`: "compute-0001-none: Volume does not exist.",
		`DELETE protection-groups/volumes?group_names=g&member_names=free`:              "free: Protection group membership could not be found.",
		`PATCH protection-groups/targets?group_names=g {"allowed":true}`:                "g: Protection group is not replicated to this array.",
		`POST protection-group-snapshots?source_names=g {"suffix":"t"}`:                 "g.t: Protection group snapshot already exists.",
		`DELETE protection-group-snapshots?names=g.t`:                                   "g.t: Protection group snapshot is not destroyed. Destroy it before it is eradicated.",
		`POST volumes?names=n&context_names=other {"provisioned":1048576}`:              "other: Context does not exist.",
		`POST alerts {}`: "alerts: The simulated array does not support POST alerts.",
	}
}
