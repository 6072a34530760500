package simulator_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// direct sends requests to an array without a network.
type direct struct {
	array *simulator.Array
	token string
}

func newDirect(a *simulator.Array) *direct {
	d := &direct{array: a}
	r := httptest.NewRequest(http.MethodPost, "/api/2.26/login", nil)
	r.Header.Set("api-token", "any")
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	d.token = w.Header().Get("x-auth-token")
	return d
}

func (d *direct) send(request string) (status int, items []map[string]any) {
	method, rest, _ := strings.Cut(request, " ")
	path, body, _ := strings.Cut(rest, " ")
	r := httptest.NewRequest(method, "/api/2.26/"+path, strings.NewReader(body))
	r.Header.Set("x-auth-token", d.token)
	w := httptest.NewRecorder()
	d.array.ServeHTTP(w, r)
	var p page
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	return w.Code, p.Items
}

func (d *direct) list(path string) []map[string]any {
	_, items := d.send("GET " + path)
	return items
}

// sequenceRequests are changes of a few objects, so that random sequences of them
// often meet.
var sequenceRequests = []string{
	`POST volumes?names=a {"provisioned":1048576}`, `POST volumes?names=p::a {"provisioned":2097152}`,
	`POST volumes?names=v/a {"provisioned":1048576}`, `POST volumes?names=b {"source":{"name":"a"}}`,
	`POST volumes?names=b&overwrite=true {"source":{"name":"p::a"}}`, `PATCH volumes?names=a {"provisioned":4194304}`,
	`PATCH volumes?names=p::a {"provisioned":8388608}`, `PATCH volumes?names=a {"destroyed":true}`,
	`PATCH volumes?names=p::a {"destroyed":true}`, `PATCH volumes?names=a {"destroyed":false}`, `DELETE volumes?names=a`,
	`DELETE volumes?names=p::a`, `PATCH volumes?names=a {"name":"c"}`, `PATCH volumes?names=c {"name":"a"}`,
	`PATCH volumes?names=a {"pod":{"name":"p"}}`, `PATCH volumes?names=p::a {"pod":{"name":"q"}}`,
	`PATCH volumes?names=q::a {"pod":{"name":"p"}}`, `PATCH volumes?names=p::a {"pod":{"name":""}}`,
	`PATCH volumes?names=a {"volume_group":{"name":"v"}}`, `PATCH volumes?names=v/a {"volume_group":{"name":""}}`,
	`POST volume-groups?names=v {}`, `PATCH volume-groups?names=v&destroy_contents=true {"destroyed":true}`, `DELETE volume-groups?names=v`,
	`POST pods?names=p {}`, `POST pods?names=q {}`, `POST pods/arrays?group_names=p&member_names=flasharray-r-02`,
	`POST pods/arrays?group_names=q&member_names=flasharray-r-02`, `DELETE pods/arrays?group_names=p&member_names=flasharray-r-02`,
	`PATCH pods?names=p&destroy_contents=true {"destroyed":true}`, `DELETE pods?names=p&eradicate_contents=true`,
	`POST volume-snapshots?source_names=a {"suffix":"s"}`, `POST volume-snapshots?source_names=p::a {}`,
	`PATCH volume-snapshots?names=a.s {"destroyed":true}`, `DELETE volume-snapshots?names=a.s`,
	`POST hosts?names=h {"iqns":["iqn.h"]}`, `DELETE hosts?names=h`, `PATCH hosts?names=h {"name":"i"}`, `PATCH hosts?names=i {"name":"h"}`,
	`POST connections?host_names=h&volume_names=a`, `POST connections?host_names=h&volume_names=p::a`,
	`DELETE connections?host_names=h&volume_names=a`, `DELETE connections?host_names=h&volume_names=p::a`,
	`POST protection-groups?names=g`, `POST protection-groups?names=p::g`, `PATCH protection-groups?names=g {"destroyed":true}`,
	`DELETE protection-groups?names=g`, `POST protection-groups/volumes?group_names=g&member_names=a`,
	`POST protection-groups/volumes?group_names=p::g&member_names=p::a`, `DELETE protection-groups/volumes?group_names=g&member_names=a`,
	`POST protection-groups/targets?group_names=g&member_names=flasharray-r-02`,
	`PATCH protection-groups?names=g {"replication_schedule":{"enabled":true,"frequency":300000}}`,
	`POST protection-group-snapshots?source_names=g&replicate_now=true {}`, `POST protection-group-snapshots?source_names=p::g {}`,
	`PUT volumes/tags/batch?resource_names=p::a [{"key":"k","value":"v"}]`, `PATCH volumes?names=b {"destroyed":true}`,
}

// sequenceLength is how many changes a sequence has at most.
const sequenceLength = 60

// FuzzWritableSequence makes random changes of two connected arrays and checks
// after each that all lists agree with each other. A byte is a change; those
// beyond the list let time pass.
func FuzzWritableSequence(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 6 {
		steps := make([]byte, sequenceLength)
		for n := range steps {
			steps[n] = byte(random.IntN(len(sequenceRequests) + 3))
		}
		f.Add(steps)
	}
	f.Add([]byte{23, 24, 1, 25, 26, 34, 39, 6, 15, 16, 41, 27, 17, 200, 201})
	f.Add([]byte{0, 42, 46, 49, 50, 201, 51, 7, 201, 44, 45, 201, 201, 201})
	all, err := simulator.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, steps []byte) {
		clock := newTestClock()
		var arrays []*simulator.Array
		for _, fixture := range all {
			if strings.HasPrefix(fixture.Name, "flasharray-r-") {
				arrays = append(arrays, simulator.New(fixture, simulator.Options{
					Writable: true, Population: few(), Clock: clock.read, SessionIdle: -1,
				}))
			}
		}
		server, err := simulator.Serve(arrays, simulator.ServeOptions{Listen: pipe})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = server.Close() }()
		first, second := newDirect(arrays[0]), newDirect(arrays[1])
		bases := []float64{baseOf(first), baseOf(second)}
		for n, step := range steps[:min(len(steps), sequenceLength)] {
			request := "time passes"
			if int(step) < len(sequenceRequests) {
				request = sequenceRequests[step]
				if status, _ := first.send(request); status != http.StatusOK && status != http.StatusBadRequest {
					t.Fatalf("step %d, %s: status %d", n, request, status)
				}
			} else {
				clock.advance(time.Duration(step) * 10 * time.Minute)
				second.send(`PATCH protection-groups/targets?group_names=flasharray-r-01:g {"allowed":true}`)
			}
			for i, d := range []*direct{first, second} {
				if fault := d.fault(bases[i]); fault != "" {
					t.Fatalf("step %d, %s: %s: %s", n, request, d.array.Name(), fault)
				}
			}
			if a, b := first.inPods(second), second.inPods(first); a != b {
				t.Fatalf("step %d, %s: the arrays differ:\n%s\n%s", n, request, a, b)
			}
		}
	})
}

func pipe(*simulator.Array) (net.Listener, error) { return simulator.NewPipeListener(), nil }

// baseOf is the provisioned size that is not of a volume.
func baseOf(d *direct) float64 { return d.provisioned() - d.sum() }

func (d *direct) provisioned() float64 {
	return at(d.list("arrays/space")[0], "space.total_provisioned").(float64)
}

func (d *direct) sum() (sum float64) {
	for _, v := range d.list("volumes?destroyed=false") {
		sum += v["provisioned"].(float64)
	}
	return sum
}

// at is the value at a dotted path.
func at(v any, path string) any {
	for _, name := range strings.Split(path, ".") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// fault is what does not agree in the lists of an array, or "".
func (d *direct) fault(base float64) string {
	if got, want := d.provisioned(), d.sum()+base; got != want {
		return fmt.Sprintf("the provisioned size is %.0f, that of the volumes %.0f", got, want)
	}
	volumes, groups := named(d.list("volumes")), named(d.list("protection-groups"))
	hosts, pods, snapshots := named(d.list("hosts")), named(d.list("pods")), d.list("volume-snapshots")
	counts := map[string]float64{}
	for _, c := range d.list("connections") {
		volume, host := at(c, "volume.name").(string), at(c, "host.name").(string)
		if volumes[volume] == nil || hosts[host] == nil {
			return fmt.Sprintf("a connection of %s with %s is left", host, volume)
		}
		counts["volume "+volume]++
		counts["host "+host]++
	}
	for _, m := range d.list("protection-groups/volumes") {
		group, member := at(m, "group.name").(string), at(m, "member.name").(string)
		if groups[group] == nil || volumes[member] == nil {
			return fmt.Sprintf("a membership of %s in %s is left", member, group)
		}
		if volumes[member]["destroyed"] == false {
			counts["group "+group]++
		}
	}
	for name, v := range volumes {
		pod, _ := at(v, "pod.name").(string)
		if prefix, _, in := strings.Cut(name, "::"); in != (pod != "") || in && (prefix != pod || pods[pod] == nil) {
			return fmt.Sprintf("volume %s is in pod %q", name, pod)
		}
		if v["connection_count"] != counts["volume "+name] {
			return fmt.Sprintf("volume %s counts %v of %v connections", name, v["connection_count"], counts["volume "+name])
		}
	}
	for name, h := range hosts {
		if h["is_local"] == true && h["connection_count"] != counts["host "+name] {
			return fmt.Sprintf("host %s counts %v of %v connections", name, h["connection_count"], counts["host "+name])
		}
	}
	for name, g := range groups {
		if g["is_local"] == true && g["destroyed"] == false && g["volume_count"] != counts["group "+name] {
			return fmt.Sprintf("group %s counts %v of %v volumes", name, g["volume_count"], counts["group "+name])
		}
	}
	for _, s := range snapshots {
		source, _ := at(s, "source.name").(string)
		if id := at(s, "source.id"); id != nil && volumes[source] == nil && strings.Count(s["name"].(string), ".") == 1 {
			return fmt.Sprintf("snapshot %s of %s is left", s["name"], source)
		}
	}
	return ""
}

func named(items []map[string]any) map[string]map[string]any {
	all := map[string]map[string]any{}
	for _, item := range items {
		all[item["name"].(string)] = item
	}
	return all
}

// inPods is what the array has in the pods that it shares with another, without
// what is recorded.
func (d *direct) inPods(other *direct) string {
	mine, theirs := named(d.list("pods")), named(other.list("pods"))
	shared := slices.DeleteFunc(slices.Sorted(maps.Keys(mine)), func(name string) bool {
		return theirs[name] == nil || name == "cinder-pod"
	})
	var all []string
	for _, kind := range []string{"volumes", "volume-snapshots", "protection-groups", "protection-group-snapshots"} {
		for name, o := range named(d.list(kind)) {
			if pod, _, in := strings.Cut(name, "::"); in && slices.Contains(shared, pod) {
				all = append(all, fmt.Sprint(kind, " ", name, " ", o["provisioned"], o["destroyed"], o["volume_count"], o["connection_count"]))
			}
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}
