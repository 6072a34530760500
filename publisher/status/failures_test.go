package status

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// failedView is the sample view with failed creates of the last minutes.
func failedView(n int) View {
	v := sampleView()
	v.Failures = Failures{Enabled: true, Listening: true, Since: noon.Add(-time.Hour)}
	for i := range n {
		v.Failures.Latest = append(v.Failures.Latest, Failure{
			ReceivedAt: noon.Add(-time.Duration(i+1) * time.Minute), Operation: "create_volume", VolumeID: fmt.Sprintf("c7cb%04d-99fd-4f99-9329-cc239a4f5f42", i),
			VolumeType: "gold <b>", Size: 100, Zones: []string{"dc1"}, Explanation: "refused: fa_01 total_volumes 912 is not <= 800",
			Fits: []string{}, Refused: []FailureRefusal{{"fa_01", "CapabilitiesFilter", "total_volumes 912 is not <= 800"}}, OtherPools: 2,
		})
	}
	v.Failures.Counts = []FailureCount{{"gold", "CapabilitiesFilter", uint64(n)}, {"", "other", 0}}
	return v
}

func TestPageShowsFailedCreates(t *testing.T) {
	for name, c := range map[string]struct {
		view View
		want []string
		not  []string
	}{
		"off": {sampleView(), nil, []string{"Failed creates", "/v1/failures"}},
		"none": {
			failedView(0),
			[]string{"Failed creates", "None was reported since poolcast began to listen, 60 min ago.", `<a href="/v1/failures">`},
			[]string{"earlier"},
		},
		"seven": {
			failedView(7),
			[]string{
				"volume c7cb0000…, type gold &lt;b&gt;, 100 GiB, dc1 <small>60 s ago</small>", "<b>fa_01</b> <span class=\"bad\">total_volumes 912 is not &lt;= 800</span> <small>CapabilitiesFilter</small>",
				"2 backends of other pools", "2 earlier failures", "<b>failed creates</b> <span class=\"bad\">7 in the last hour, the last one 60 s ago: volume c7cb0000…",
			},
			[]string{"<p class=\"quiet\">refused", "<b>dc1"},
		},
		"not received": {
			func() View {
				v := failedView(0)
				v.Failures.Listening, v.Failures.Reason = false, "ACCESS_REFUSED - access to exchange"
				return v
			}(),
			[]string{"Notifications are not received: ACCESS_REFUSED", "<b>notifications</b> <span class=\"bad\">failed creates are not explained: ACCESS_REFUSED"},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			code, page := get(t, serve(t, Options{Source: fixed(c.view)}).URL+"/")
			for _, want := range c.want {
				if !strings.Contains(page, want) {
					t.Errorf("%d: the page has no %q", code, want)
				}
			}
			for _, not := range c.not {
				if strings.Contains(page, not) {
					t.Errorf("the page has %q", not)
				}
			}
		})
	}
}

// TestFailedCreatesAreWarnings: the agent is ready all the same, and an hour later
// they are no news.
func TestFailedCreatesAreWarnings(t *testing.T) {
	v := failedView(3)
	v.Backends = v.Backends[:1]
	code, text := get(t, serve(t, Options{Source: fixed(v)}).URL+"/readyz")
	want := "[!] failed creates: 3 in the last hour, the last one 60 s ago: volume c7cb0000…, type gold <b>, 100 GiB, dc1: refused: fa_01 total_volumes 912 is not <= 800\n"
	if code != http.StatusOK || !strings.HasSuffix(text, want) {
		t.Errorf("%d: %s, want %s", code, text, want)
	}
	v.Now = v.Now.Add(time.Hour)
	if _, text := get(t, serve(t, Options{Source: fixed(v)}).URL+"/readyz"); strings.Contains(text, "failed creates") {
		t.Errorf("an hour later: %s", text)
	}
}

func TestFailuresOfTheAPI(t *testing.T) {
	if _, text := get(t, serve(t, Options{}).URL+"/v1/failures"); strings.TrimSpace(text) != "[]" {
		t.Errorf("without explain_failures: %s", text)
	}
	_, text := get(t, serve(t, Options{Source: fixed(failedView(2))}).URL+"/v1/failures")
	var failures []Failure
	if err := json.Unmarshal([]byte(text), &failures); err != nil || len(failures) != 2 || failures[0].VolumeID != failedView(1).Failures.Latest[0].VolumeID {
		t.Errorf("%s, %v", text, err)
	}
}

func TestMetricsOfFailedCreates(t *testing.T) {
	if _, text := get(t, serve(t, Options{}).URL+"/metrics"); strings.Contains(text, "failed_creates") || strings.Contains(text, "notifications") {
		t.Error("there are metrics without explain_failures")
	}
	_, text := get(t, serve(t, Options{Source: fixed(failedView(2))}).URL+"/metrics")
	for _, want := range []string{
		`poolcast_failed_creates_total{filter="CapabilitiesFilter",volume_backend_name="gold"} 2`,
		`poolcast_failed_creates_total{filter="other",volume_backend_name=""} 0`, "poolcast_notifications_listening 1",
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no sample %s", want)
		}
	}
	problems, err := testutil.CollectAndLint(newViewCollector(fixed(failedView(1))))
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
