package publisher

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const testCall = "0123456789abcdef0000000000000001"

// replyBody is a message of a reply queue as oslo.messaging sends it.
func replyBody(t testing.TB, inner string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]string{"oslo.version": "2.0", "oslo.message": inner})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestPoolsReply(t *testing.T) {
	const head = `{"_msg_id": "` + testCall + `", `
	for _, c := range []struct {
		name, inner, want, fault string
		incomplete               bool
	}{
		{name: "in one message", inner: head + `"result": [{"name": "a@b#c", "capabilities": {"n": 1}}], "failure": null, "ending": true}`, want: "a@b#c"},
		{name: "in two messages", inner: head + `"result": [{"name": "a@b#c", "capabilities": {}}], "failure": null, "ending": false}`, want: "a@b#c"},
		{name: "no pool", inner: head + `"result": [], "ending": true}`},
		{name: "NaN and Infinity", inner: head + `"result": [{"name": "a@b#c", "capabilities": {"n": NaN, "text": "NaN \" Infinity", "m": -Infinity}}], "ending": true}`, want: "a@b#c", incomplete: true},
		{name: "of another call", inner: `{"_msg_id": "other", "result": [], "ending": true}`, want: "-"},
		{name: "a heartbeat", inner: head + `"result": null, "failure": null, "ending": false}`, want: "-"},
		{name: "an end without a list", inner: head + `"result": null, "failure": null, "ending": true}`, fault: "without a list"},
		{
			name:  "a failure",
			inner: head + `"failure": "{\"class\": \"TypeError\", \"module\": \"builtins\", \"message\": \"no\\nway\", \"tb\": [\"Traceback\"]}", "ending": true}`,
			fault: "the scheduler failed with TypeError: no way; its log",
		},
		{name: "a failure that is no JSON", inner: head + `"failure": "x", "ending": true}`, fault: "failed without a reason"},
		{name: "a name without a host", inner: head + `"result": [{"name": "b#c@d", "capabilities": {}}], "ending": true}`, fault: `entry 1 has the name "b#c@d"`},
		{name: "no capabilities", inner: head + `"result": [{"name": "a@b#c"}], "ending": true}`, fault: "a@b#c, has no capabilities"},
		{name: "no list", inner: head + `"result": 3, "ending": true}`, fault: "read the list of pools"},
		{name: "no JSON", inner: `{`, fault: "read the reply"},
	} {
		t.Run(c.name, func(t *testing.T) {
			names, incomplete, err := readReply(replyBody(t, c.inner))
			switch {
			case c.fault != "":
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("got %v, want %q", err, c.fault)
				}
			case err != nil:
				t.Error(err)
			case names != c.want || incomplete != c.incomplete:
				t.Errorf("got %q, incomplete %t; want %q, %t", names, incomplete, c.want, c.incomplete)
			}
		})
	}
}

// readReply returns the names in a reply, "-" if it has no result.
func readReply(body []byte) (names string, incomplete bool, err error) {
	reply, err := decodeReply(body, testCall)
	if err != nil || reply == nil {
		return "-", false, err
	}
	pools, err := ParsePools(reply.result)
	var all []string
	for _, p := range pools {
		all = append(all, p.Name)
	}
	return strings.Join(all, " "), reply.incomplete, err
}

func TestPoolsReplyTooLarge(t *testing.T) {
	if _, err := decodeReply(make([]byte, maxPoolsBody+1), testCall); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Errorf("got %v", err)
	}
}

// TestPoolsCall: the fields are those that oslo.messaging reads of a call.
func TestPoolsCall(t *testing.T) {
	body, err := encodePoolsCall(testCall, "amq.gen-1", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	inner, err := unwrap(body)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(inner, &fields); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"method": `"get_pools"`, "version": `"3.0"`, "namespace": "null", "args": `{"filters":{}}`,
		"_msg_id": `"` + testCall + `"`, "_unique_id": `"` + testCall + `"`, "_reply_q": `"amq.gen-1"`, "_timeout": "null",
		"_context_is_admin": "true",
	} {
		if got := string(fields[name]); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

func FuzzPoolsReply(f *testing.F) {
	f.Add([]byte(`{"_msg_id":"` + testCall + `","result":[{"name":"a@b#c","capabilities":{"n":NaN}}],"ending":true}`))
	f.Add(replyBody(f, `{"_msg_id":"`+testCall+`","failure":"{\"class\":\"E\"}"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		reply, err := decodeReply(body, testCall)
		if err != nil || reply == nil {
			return
		}
		pools, err := ParsePools(reply.result)
		if err != nil {
			return
		}
		for _, p := range pools {
			if _, err := p.Capabilities.MarshalJSON(); err != nil || !strings.Contains(p.Name, "@") {
				t.Errorf("%q: %v", p.Name, err)
			}
		}
	})
}
