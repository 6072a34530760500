//go:build conformance

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolcast/poolcast/flasharray/simulator"
)

// writableRun is one scenario of writable_driver.py with one driver, and what the
// array listed after its steps.
type writableRun struct {
	stanza, scenario string
	want             map[string]string // JSON by step
}

// writableResult is what writable_driver.py prints for a run.
type writableResult struct {
	Steps map[string]json.RawMessage
	Error string
}

// TestWritableArrayDriver runs Cinder's own drivers with the vendor's client
// against writable arrays: every operation of a volume, its groups, connections
// over iSCSI, FC and NVMe, replication, failover and failback.
func TestWritableArrayDriver(t *testing.T) {
	runs := writableRuns()
	for i, result := range runWritable(t, runs) {
		run := runs[i]
		t.Run(run.scenario+"/"+run.stanza, func(t *testing.T) {
			if result.Error != "" {
				t.Fatalf("the driver failed: %s", result.Error)
			}
			for step, want := range run.want {
				if got := string(result.Steps[step]); got != want {
					t.Errorf("%s: %s, want %s", step, got, want)
				}
			}
		})
	}
}

func runWritable(t *testing.T, runs []writableRun) []writableResult {
	t.Helper()
	conf, ca := serveWritable(t)
	command := exec.CommandContext(t.Context(), python(), "-W", "ignore", "writable_driver.py", conf)
	command.Env = append(os.Environ(), "SSL_CERT_FILE="+ca)
	var in, out bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = &in, &out, t.Output()
	for _, run := range runs {
		fmt.Fprintln(&in, run.stanza, run.scenario)
	}
	if err := command.Run(); err != nil {
		t.Fatalf("run %s writable_driver.py (set POOLCAST_PYTHON to one that has cinder and py-pure-client): %v", python(), err)
	}
	results := make([]writableResult, len(runs))
	for i := range results {
		line, err := out.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line, &results[i]); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
	}
	return results
}

// serveWritable serves writable arrays, and writes the cinder.conf with a stanza
// for each driver. It returns the files of both the configuration and the
// authority.
func serveWritable(t *testing.T) (conf, ca string) {
	t.Helper()
	fixtures, err := simulator.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var arrays []*simulator.Array
	for _, f := range fixtures {
		arrays = append(arrays, simulator.New(f, simulator.Options{Writable: true}))
	}
	server, err := simulator.Serve(arrays, simulator.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	conf, ca = filepath.Join(dir, "cinder.conf"), filepath.Join(dir, "ca.pem")
	var b strings.Builder
	stanza := func(name, class, array, options string) {
		fmt.Fprintf(&b, "\n[%s]\nvolume_driver = cinder.volume.drivers.pure.%s\nvolume_backend_name = gold\nsan_ip = %s\n"+
			"pure_api_token = token\ndriver_ssl_cert_verify = True\ndriver_ssl_cert_path = %s\n%s", name, class, server.Addr(array), ca, options)
	}
	b.WriteString("[DEFAULT]\nhost = here\n")
	stanza("iscsi", "PureISCSIDriver", "flasharray-x-01", "")
	stanza("chap", "PureISCSIDriver", "flasharray-x-03", "use_chap_auth = True\npure_host_personality = esxi\n")
	stanza("fc", "PureFCDriver", "flasharray-x-02", "pure_host_personality = esxi\n")
	stanza("nvme", "PureNVMEDriver", "flasharray-c-01", "pure_nvme_transport = tcp\n")
	stanza("eradicate", "PureISCSIDriver", "flasharray-x-03", "pure_eradicate_on_delete = True\n")
	replicas := replicaLine(server, "second", "flasharray-r-02", "sync") + replicaLine(server, "third", "flasharray-c-01", "async")
	stanza("replicated", "PureISCSIDriver", "flasharray-r-01", replicas)
	stanza("trisync", "PureISCSIDriver", "flasharray-r-01", replicas+"pure_trisync_enabled = True\n")
	if err := os.WriteFile(conf, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ca, server.CAPEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	return conf, ca
}

func replicaLine(server *simulator.Server, backend, array, kind string) string {
	return fmt.Sprintf("replication_device = backend_id:%s,san_ip:%s,api_token:%s,type:%s,uniform:true\n",
		backend, strings.Replace(server.Addr(array), "127.0.0.1", "localhost", 1), backend, kind)
}

func writableRuns() []writableRun {
	runs := []writableRun{
		{"iscsi", "volumes", merged(volumeSteps(912, 3595, 1177600), map[string]string{
			"deleted":      `{"name": "volume-ID-cinder", "gib": 3.0, "destroyed": true, "connections": 0, "iops": 5000}`,
			"stats at end": statistics(916, 3596, 15, 1177600), // destroyed ones are listed until they are eradicated
		})},
		{"eradicate", "volumes", map[string]string{
			"deleted":      `"Volume does not exist."`,
			"stats at end": statistics(202, 426, 4, 307200),
		}},
		{"iscsi", "containers", map[string]string{
			"in a volume group": `{"name": "gold/volume-ID-cinder", "gib": 1.0, "destroyed": false, "connections": 0, "iops": null}`,
			"volume group":      `1`, "volume group left": `true`,
			"moved out": `{"name": "volume-ID-cinder", "gib": 1.0, "destroyed": false, "connections": 0, "iops": null}`,
			"moved in":  `{"name": "silver/volume-ID-cinder", "gib": 1.0, "destroyed": false, "connections": 0, "iops": null}`,
		}},
		{"iscsi", "management", map[string]string{
			"unmanaged": `true`, "size": `2`, "unmanaged snapshot": `true`, "size of snapshot": `2`, "managed snapshot": `true`,
			"managed":    `{"name": "volume-ID-cinder", "gib": 2.0, "destroyed": false, "connections": 0, "iops": null}`,
			"manageable": `["Volume already managed"]`,
		}},
		{"fc", "groups", map[string]string{
			"members": `3`, "group snapshot": `2`, "from group snapshot": `2`, "from group": `2`,
			"deleted group snapshot": `[true, true]`, "deleted group": `true`, "member after": `true`,
		}},
		{"replicated", "replication", map[string]string{
			"async": `"enabled"`, "retyped to async": `{"replication_status": "enabled"}`,
			"sync": `"cinder-pod::volume-ID-cinder"`, "sync on the second": `[1.0]`, "extended on the second": `[2.0]`,
			"arrays of the paths": `2`, "connections": `2`, "connections left": `0`,
			"retyped to sync":   `true`,
			"retyped from sync": `{"name": "volume-ID-cinder", "gib": 1.0, "destroyed": false, "connections": 0, "iops": null}`,
			"ghosts":            `[]`, "transfers": `true`,
			"failed over to third": `[{"replication_status": "failed-over"}, {"status": "error"}]`, "volumes on third": `[true, false]`,
			"failed back from third": `"default"`,
			"failed over to second":  `[{"status": "error"}, {"replication_status": "failed-over"}]`, "volumes on second": `[false, true]`,
			"failed back from second": `"default"`,
		}},
		{"replicated", "group_replication", map[string]string{
			"targets":  `["flasharray-c-01 True", "flasharray-r-02 True"]`,
			"disabled": `{"replication_status": "disabled"}`, "schedule": `false`, "enabled": `{"replication_status": "enabled"}`,
			"failed over":      `[{"replication_status": "failed-over"}, ["failed-over", "failed-over"]]`,
			"volumes on third": `2`, "failed back": `{"replication_status": "enabled"}`,
		}},
		{"trisync", "trisync", map[string]string{"trisync": `"enabled"`, "group": `1`}},
	}
	for stanza, kind := range map[string][3]string{
		"iscsi": {"iscsi", "[2, 2, 2, 2]", "IQN"}, "chap": {"iscsi", "[2, 2, 2, 2]", "IQN"},
		"fc": {"fibre_channel", "[2, 2, 2, 2]", "WWN"}, "nvme": {"nvmeof", `"portals"`, "NQN"},
	} {
		runs = append(runs, writableRun{stanza, "connections", map[string]string{
			"kind": fmt.Sprintf("%q", kind[0]), "luns": kind[1], "connected": `1`, "host": `2`,
			"initiator in use": fmt.Sprintf("%q", "The specified "+kind[2]+" is already in use."),
			"host in use":      `"Host cannot be deleted due to existing connections."`,
			"disconnected":     `0`, "hosts left": `0`, "hosts after delete": `0`,
		}})
	}
	return runs
}

// volumeSteps are the steps of a volume on an array with volumes, snapshots and a
// provisioned size, in GiB.
func volumeSteps(volumes, snapshots, gib int) map[string]string {
	volume := func(gib int, iops string) string {
		return fmt.Sprintf(`{"name": "volume-ID-cinder", "gib": %d.0, "destroyed": false, "connections": 0, "iops": %s}`, gib, iops)
	}
	return map[string]string{
		"stats at start": statistics(volumes, snapshots, 15, gib), "created": volume(2, "null"),
		"stats after create": statistics(volumes+1, snapshots, 15, gib+2), "extended": volume(3, "null"),
		"stats after snapshot": statistics(volumes+1, snapshots+1, 15, gib+3),
		"from snapshot":        volume(4, "100000000"), "cloned": volume(3, "null"), "limited": volume(3, "5000"),
		"created with limits": volume(1, "5000"), "tags": `["DataStoreType=Direct Access", "ProjectId=project", "VolType=Data"]`,
	}
}

func statistics(volumes, snapshots, groups, gib int) string {
	return fmt.Sprintf(`{"total_volumes": %d, "total_snapshots": %d, "total_hosts": 48, "total_pgroups": %d, "provisioned_capacity_gb": %d.0}`,
		volumes, snapshots, groups, gib)
}

func merged(a, b map[string]string) map[string]string {
	maps.Copy(a, b)
	return a
}
