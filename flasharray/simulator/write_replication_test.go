package simulator_test

import (
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// newConnected are writable arrays of one server.
func newConnected(t *testing.T, names ...string) (map[string]*environment, *testClock) {
	t.Helper()
	clock := newTestClock()
	var arrays []*simulator.Array
	for _, name := range names {
		arrays = append(arrays, simulator.New(fixture(t, name), simulator.Options{
			Writable: true, Population: few(), Clock: clock.read, SessionIdle: -1,
		}))
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{DialContext: server.DialContext, TLSClientConfig: &tls.Config{RootCAs: server.CertPool()}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
	})
	all := map[string]*environment{}
	for _, a := range arrays {
		l := &environment{t: t, array: a, server: server, client: &http.Client{Transport: transport}, version: "2.26"}
		l.login("secret")
		all[a.Name()] = l
	}
	return all, clock
}

func TestWritablePodStretched(t *testing.T) {
	all, _ := newConnected(t, "flasharray-r-01", "flasharray-r-02")
	first, second := all["flasharray-r-01"], all["flasharray-r-02"]
	provisioned := second.value("arrays/space", "space.total_provisioned").(float64)
	first.must(`POST pods?names=p {}`, `POST volumes?names=p::a {"provisioned":1073741824}`,
		`POST pods/arrays?group_names=p&member_names=flasharray-r-02`)
	first.expect("pods?names=p", "array_count", 2)
	second.expect("pods?names=p", "array_count", 2)
	first.must(`PATCH volumes?names=p::a {"provisioned":2147483648}`, `POST volume-snapshots?source_names=p::a {"suffix":"s"}`,
		`POST protection-groups?names=p::g`, `POST protection-groups/volumes?group_names=p::g&member_names=p::a`)
	second.expect("volumes?names=p::a", "provisioned", 2*gib)
	second.expect("volume-snapshots?names=p::a.s", "source.name", "p::a")
	second.expect("protection-groups?names=p::g", "volume_count", 1)
	if grown := second.value("arrays/space", "space.total_provisioned").(float64) - provisioned; grown != 2*gib {
		t.Errorf("the second array grew by %.0f bytes", grown)
	}
	connected := second.value("hosts?names=compute-0001", "connection_count")
	second.must(`POST connections?host_names=compute-0001&volume_names=p::a`)
	first.expect("volumes?names=p::a", "connection_count", 1)
	second.expect("volumes?names=p::a", "connection_count", 1)
	first.expect("connections?volume_names=p::a", "host.name", "flasharray-r-02:compute-0001")
	first.must(`POST hosts?names=h {"iqns":["iqn.x"]}`, `POST connections?host_names=h&volume_names=p::a`)
	second.expect("hosts?filter=iqns='iqn.x'%20and%20not%20is_local", "name", "flasharray-r-01:h")
	first.must(`PATCH hosts?names=h {"name":"i"}`)
	second.must(`DELETE connections?host_names=flasharray-r-01:i&volume_names=p::a`)
	first.expect("hosts?names=i", "connection_count", 0)
	if names := second.names("hosts?filter=name='*:i'"); names != "" {
		t.Errorf("a remote host without connections is left: %s", names)
	}
	second.must(`POST volumes?names=p::b {"provisioned":1048576}`)
	first.expect("volumes?names=p::b", "serial", second.value("volumes?names=p::b", "serial"))
	if got := first.refused(`POST pods/arrays?group_names=p&member_names=flasharray-c-01`); got != "p: Pod array limit reached." {
		t.Error(got)
	}
	first.must(`DELETE pods/arrays?group_names=p&member_names=flasharray-r-02`)
	first.expect("pods?names=p", "array_count", 1)
	first.expect("volumes?names=p::a", "connection_count", 0)
	second.expect("hosts?names=compute-0001", "connection_count", connected)
	if names := second.names("volumes?filter=name='p::*'") + second.names("pods?filter=name='p'") + second.names("protection-groups?filter=name='p::*'"); names != "" {
		t.Errorf("the second array has %s", names)
	}
}

func TestWritableGroupReplicated(t *testing.T) {
	all, clock := newConnected(t, "flasharray-r-01", "flasharray-c-01")
	source, target := all["flasharray-r-01"], all["flasharray-c-01"]
	source.must(`POST volumes?names=a {"provisioned":1073741824}`, `POST protection-groups?names=g`,
		`POST protection-groups/volumes?group_names=g&member_names=a`,
		`POST protection-groups/targets?group_names=g&member_names=flasharray-c-01`)
	source.expect("protection-groups/targets?group_names=g", "allowed", false)
	target.must(`PATCH protection-groups/targets?group_names=flasharray-r-01:g {"allowed":true}`)
	source.expect("protection-groups/targets?group_names=g", "allowed", true)
	const allowed = "flasharray-r-01:g: Target protection group is already allowed on the array."
	if got := target.refused(`PATCH protection-groups/targets?group_names=flasharray-r-01:g {"allowed":true}`); got != allowed {
		t.Error(got)
	}
	const transfers = "protection-group-snapshots/transfer?names=flasharray-r-01:g&destroyed=false&filter=progress=%221.0%22&sort=started-"
	if n := target.counted(transfers); n != 0 {
		t.Errorf("%d copies before the schedule is enabled", n)
	}
	source.must(`PATCH protection-groups?names=g {"replication_schedule":{"frequency":3600000,"enabled":true},"target_retention":{"all_for_sec":7200,"per_day":0,"days":0}}`)
	for want := 1; want <= 4; want++ {
		if n := target.counted(transfers); n != min(want, 2) {
			t.Errorf("%d copies after %d intervals, want %d", n, want, min(want, 2))
		}
		clock.advance(time.Hour)
	}
	newest := target.get(transfers).Items[0]["name"].(string)
	target.must(`POST volumes?names=a&overwrite=true {"source":{"name":"` + newest + `.a"}}`)
	target.expect("volumes?names=a", "provisioned", gib)
	source.must(`POST protection-group-snapshots?source_names=g&replicate_now=true {"suffix":"now"}`)
	target.expect("protection-group-snapshots?names=flasharray-r-01:g.now", "source.name", "flasharray-r-01:g")
	source.expect("volume-snapshots?names=g.now.a", "provisioned", gib)
}

func TestWritableArrayWithoutItsPeer(t *testing.T) {
	all, _ := newConnected(t, "flasharray-r-01")
	const want = "flasharray-r-02: The array is not simulated together with this one: serve both as writable arrays of one server."
	if got := all["flasharray-r-01"].refused(`POST protection-groups/targets?group_names=` +
		`cinder-pod::cinder-trisync&member_names=flasharray-r-02`); got != want {
		t.Error(got)
	}
}
