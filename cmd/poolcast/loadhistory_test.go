package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// historyCase has two backends with sections that an operator changes.
type historyCase struct {
	*environment
	sections map[string][]string // lines of each section, by its name
	agent    []string            // lines of [poolcast]
}

func newHistoryCase(t *testing.T) *historyCase {
	c := &historyCase{environment: newEnvironment(t, 2), sections: map[string][]string{}}
	for i, a := range c.arrays {
		c.sections[fmt.Sprintf("fa%d", i)] = []string{
			"volume_driver = cinder.volume.drivers.pure.PureISCSIDriver", "volume_backend_name = gold", "san_ip = " + c.server.Addr(a.Name()),
			"driver_ssl_cert_verify = true", "driver_ssl_cert_path = " + c.path("ca.pem"), "pure_api_token = " + tokenOf(a.Name()),
		}
	}
	c.sections["fa1"] = append(c.sections["fa1"], `extra_capabilities = {"rack": "r-1"}`, "live_capabilities = dedupe_ratio")
	return c
}

// findings are those of check on the keys of the last hour, by their codes.
func (c *historyCase) findings(types map[string]string) map[string]string {
	c.t.Helper()
	text := "[DEFAULT]\nhost = ctl1\nenabled_backends = fa0,fa1\n[poolcast]\nlisten = off\n" + strings.Join(c.agent, "\n") + "\n"
	for _, name := range []string{"fa0", "fa1"} {
		text += "[" + name + "]\n" + strings.Join(c.sections[name], "\n") + "\n"
	}
	c.write("cinder.conf", text)
	var rows []map[string]any
	for name, condition := range types {
		key, value, _ := strings.Cut(condition, "=")
		rows = append(rows, map[string]any{"Name": name, "Properties": map[string]string{key: value}})
	}
	data, err := json.Marshal(rows)
	if err != nil {
		c.t.Fatal(err)
	}
	c.write("types.json", string(data))
	stdout, stderr, done := c.run(c.t.Context(), "check", "--no-bus", "--types", c.path("types.json"), "--output", "json")
	<-done
	var out checkOutput
	if err := json.Unmarshal([]byte(stdout.String()), &out); err != nil {
		c.t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	found := map[string]string{}
	for _, f := range out.Findings {
		if strings.HasPrefix(f.Code, "history-") || f.Code == "pinned-key" || strings.HasPrefix(f.Code, "type-") || f.Code == "absent-key" {
			found[f.Code] = f.Fix
		}
	}
	return found
}

// apply does what a fix says.
func (c *historyCase) apply(fix string) {
	c.t.Helper()
	if line, ok := strings.CutSuffix(strings.TrimPrefix(fix, "Write "), " into [poolcast]"); ok {
		c.agent = append(c.agent, line)
		return
	}
	found := regexp.MustCompile(`(extra_capabilities = \{.*?\}) and (live_capabilities = \S+) into ((?:\[\w+\](?:, | and )?)+)`).FindAllStringSubmatch(fix, -1)
	if found == nil {
		c.t.Fatalf("nothing to apply: %s", fix)
	}
	for _, f := range found {
		for _, name := range regexp.MustCompile(`\w+`).FindAllString(strings.ReplaceAll(f[3], " and ", ""), -1) {
			rest := slices.DeleteFunc(c.sections[name], func(line string) bool {
				return strings.HasPrefix(line, "extra_capabilities") || strings.HasPrefix(line, "live_capabilities")
			})
			c.sections[name] = append(rest, f[1], f[2])
		}
	}
}

// TestHistoryAdviceIsApplied follows the advice of check on conditions and functions on
// the keys of the last hour, one after the other, until there is none.
func TestHistoryAdviceIsApplied(t *testing.T) {
	for name, change := range map[string]func(c *historyCase) (types map[string]string){
		"a class": func(*historyCase) map[string]string {
			return map[string]string{"quiet": "capabilities:load_class=<or> low <or> normal"}
		},
		"another class": func(*historyCase) map[string]string {
			return map[string]string{"quiet": "load_class=low"}
		},
		"a percentile": func(*historyCase) map[string]string {
			return map[string]string{"quiet": "hourly_load_percent=<= 30"}
		},
		"a latency": func(*historyCase) map[string]string {
			return map[string]string{"quiet": "hourly_usec_per_write_op=<= 700"}
		},
		"a refused value": func(c *historyCase) map[string]string {
			c.sections["fa0"] = append(c.sections["fa0"], `extra_capabilities = {"load_class": "high"}`, "live_capabilities = load_class")
			return map[string]string{"quiet": "load_class=<or> low <or> normal"}
		},
		"a value that is pinned": func(c *historyCase) map[string]string {
			c.sections["fa0"] = append(c.sections["fa0"], `extra_capabilities = {"load_class": "normal"}`)
			return map[string]string{"quiet": "load_class=<or> low <or> normal"}
		},
		"a function": func(c *historyCase) map[string]string {
			for name := range c.sections {
				c.sections[name] = append(c.sections[name], "filter_function = capabilities.hourly_load_percent < 80")
			}
			return map[string]string{"any": "vendor_name=Pure Storage"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newHistoryCase(t)
			types := change(c)
			before := c.findings(types)
			for _, code := range []string{"history-off", "history-without-fallback", "history-fallback-refused"} {
				if fix, ok := before[code]; ok {
					c.apply(fix)
				}
			}
			if before["history-off"] == "" || before["history-without-fallback"] == "" {
				t.Errorf("findings are %v", before)
			}
			if after := c.findings(types); len(after) > 0 {
				data, _ := os.ReadFile(c.path("cinder.conf"))
				t.Errorf("after the advice there are %v; before %v\n%s", after, before, data)
			}
		})
	}
}

// TestHistoryAdviceOfOtherPool: a type for another pool needs no value on these backends.
func TestHistoryAdviceOfOtherPool(t *testing.T) {
	c := newHistoryCase(t)
	c.agent = []string{"load_history = true"}
	c.sections["fa1"][1] = "volume_backend_name = silver"
	c.sections["fa1"] = append(c.sections["fa1"][:6], `extra_capabilities = {"load_class": "normal"}`, "live_capabilities = load_class")
	types := map[string]string{"quiet": "load_class=<or> low <or> normal"}
	if found := c.findings(types); !strings.Contains(found["history-without-fallback"], "into [fa0],") {
		t.Errorf("findings are %v", found)
	}
}

// TestOperationsLoadHistory: the settings in OPERATIONS.md are complete, and removing one
// is found.
func TestOperationsLoadHistory(t *testing.T) {
	_, section, _ := strings.Cut(runbook(t), "\n## What to filter on\n")
	settings := regexp.MustCompile("(?s)```ini\n(.*?)```").FindStringSubmatch(section)
	condition := regexp.MustCompile(`--property 'capabilities:(load_class=[^']*)'`).FindStringSubmatch(section)
	if settings == nil || condition == nil {
		t.Fatal("the section has no settings or no type")
	}
	types := map[string]string{"gold": condition[1]}
	c := newHistoryCase(t)
	c.sections["fa1"] = c.sections["fa1"][:6]
	c.agent = []string{settings[1]}
	if found := c.findings(types); len(found) > 0 {
		t.Errorf("findings are %v", found)
	}
	for line := range strings.Lines(settings[1]) {
		if !strings.Contains(line, "=") {
			continue
		}
		c.agent = []string{strings.Replace(settings[1], line, "", 1)}
		if found := c.findings(types); len(found) == 0 {
			t.Errorf("without %s nothing is found", line)
		}
	}
}
