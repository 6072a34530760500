//go:build integration

package integration

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/poolcast/poolcast/flasharray/simulator"
	"github.com/poolcast/poolcast/integration/process"
)

// chaosFault is a fault, or a change that must not be one.
type chaosFault struct {
	name   string
	inject func()
}

// chaosFaults are all faults. The frames change most often.
func (x *chaos) chaosFaults() []chaosFault {
	list := []chaosFault{
		{"broker-stopped", func() { x.broker.Stop(); x.broker.Start(); x.listener.Reconnect(x.broker.URL()) }},
		{"broker-killed", func() { x.broker.Kill(); x.broker.Start(); x.listener.Reconnect(x.broker.URL()) }},
		{"broker-frozen", x.freeze},
		{"stanza-removed", x.removeStanza},
		{"stanza-restored", x.restoreStanza},
		{"file-written-in-place", func() { x.edits++; x.write(x.config, x.cinderConf()) }},
		{"file-replaced", x.configure},
		{"bad-file", func() { x.write(x.config, x.cinderConf()+"[chaos_00]\nextra_capabilities = {\"broken\"}\n") }},
		{"no-file", x.removeConfig},
		{"many-reload-signals", x.signalReload},
		{"configuration-flaps", x.flap},
		{"bus-changed", x.changeBus},
		{"address-changed", x.changeAddress},
		{"token-rotated", func() { x.rotate(true) }},
		{"token-in-file-rotated", func() { x.rotate(false) }},
	}
	burst := arrayFault{name: "burst-of-errors", inject: func(_ *simulator.Server, a *simulator.Array) {
		a.SetFaults(simulator.ServerError(http.StatusBadGateway).Times(5 + x.random.IntN(20)))
	}}
	for _, m := range append(arrayFaults(), burst) {
		list = append(list, chaosFault{m.name, func() { x.injectFault(m) }})
	}
	for range 5 {
		list = append(list, chaosFault{"frame", func() { x.setFrame(x.random.IntN(chaosFrames)) }})
	}
	return list
}

// injectFault injects a fault into an array that has none.
func (x *chaos) injectFault(m arrayFault) {
	if i, ok := x.pick(func(int) bool { return true }); ok {
		m.inject(x.server, x.arrays[i])
		x.injected[i] = func() { m.clear(x.environment, x.arrays[i], x.tokens[i]) }
	}
}

// pick chooses an array without a fault.
func (x *chaos) pick(suits func(int) bool) (int, bool) {
	for _, i := range x.random.Perm(len(x.arrays)) {
		if x.injected[i] == nil && suits(i) {
			return i, true
		}
	}
	return 0, false
}

// freeze freezes the broker for longer than an interval.
func (x *chaos) freeze() {
	x.broker.Freeze()
	defer x.broker.Thaw()
	since := time.Now()
	process.Await(x.t, pollBound, "the freeze to last", func() error {
		if time.Since(since) < interval+time.Second {
			return errors.New("it is not over")
		}
		return nil
	})
}

// prepare gives the agent a status page, and puts the tokens of every other
// array into a file.
func (x *chaos) prepare() {
	x.t.Helper()
	text, err := os.ReadFile(x.config)
	if err != nil {
		x.t.Fatal(err)
	}
	x.base = strings.Replace(string(text), "listen = off", "listen = 127.0.0.1:0", 1)
	for i := 0; i < len(x.arrays); i += 2 {
		path := filepath.Join(filepath.Dir(x.config), fmt.Sprintf("token-%02d", i))
		x.write(path, x.tokens[i]+"\n")
		x.tokenFiles[i] = path
		x.substitute("pure_api_token = "+x.tokens[i], "token_file = "+path)
	}
	for i, a := range x.arrays {
		a.SetTokens(x.tokens[i])
	}
	x.configure()
}

// substitute changes a text of the configuration.
func (x *chaos) substitute(old, now string) {
	x.t.Helper()
	if !strings.Contains(x.base, old) {
		x.t.Fatalf("the configuration has no %q", old)
	}
	x.base = strings.Replace(x.base, old, now, 1)
}

// cinderConf is the present configuration, different from each before it.
func (x *chaos) cinderConf() string {
	var enabled []string
	for i, a := range x.arrays {
		if !x.absent[i] {
			enabled = append(enabled, stanza(a.Name()))
		}
	}
	all := strings.Split(x.base, "\n")
	i := slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, "enabled_backends") })
	all[i] = "enabled_backends = " + strings.Join(enabled, ",")
	return strings.Join(all, "\n") + fmt.Sprintf("# edit %d\n", x.edits)
}

// configure writes the configuration to a new file, which it renames.
func (x *chaos) configure() {
	x.edits++
	x.replace(x.config, x.cinderConf())
}

func (x *chaos) replace(path, text string) {
	x.t.Helper()
	x.write(path+".new", text)
	if err := os.Rename(path+".new", path); err != nil {
		x.t.Fatal(err)
	}
}

// removeConfig removes the configuration for a short time.
func (x *chaos) removeConfig() {
	x.t.Helper()
	if err := os.Rename(x.config, x.config+".away"); err != nil {
		x.t.Fatal(err)
	}
	x.agent.Signal(syscall.SIGHUP)
	x.waitRandom()
	x.configure()
}

// removeStanza removes an array from the configuration, which must not affect others.
func (x *chaos) removeStanza() {
	if i, ok := x.pick(func(int) bool { return len(x.absent) < 4 }); ok {
		x.absent[i] = true
		x.injected[i] = func() { delete(x.absent, i); x.configure() }
		x.configure()
	}
}

// restoreStanza restores an array that was removed.
func (x *chaos) restoreStanza() {
	for _, i := range x.random.Perm(len(x.arrays)) {
		if x.absent[i] {
			x.clearFault(i)
			return
		}
	}
}

// signalReload sends SIGHUP a hundred times, and changes the files in between.
func (x *chaos) signalReload() {
	for n := range 100 {
		x.agent.Signal(syscall.SIGHUP)
		if n%10 == 0 {
			x.configure()
		}
	}
}

// flap removes and restores an array several times in a short time.
func (x *chaos) flap() {
	for range 5 {
		x.removeStanza()
		x.waitRandom()
		x.restoreStanza()
	}
}

// changeBus changes an option that needs a new connection to the broker.
func (x *chaos) changeBus() {
	x.edits++
	const section = "[oslo_messaging_rabbit]\nheartbeat_timeout_threshold = "
	if !strings.Contains(x.base, section) {
		x.base += section + "60\n"
	}
	before, after, _ := strings.Cut(x.base, section)
	_, rest, _ := strings.Cut(after, "\n")
	x.base = before + section + strconv.Itoa(30+x.edits) + "\n" + rest
	x.configure()
}

// changeAddress changes an address, which needs a new session with the array.
func (x *chaos) changeAddress() {
	i, ok := x.pick(func(int) bool { return true })
	if !ok {
		return
	}
	address := x.server.Addr(x.arrays[i].Name())
	local := strings.Replace(address, "127.0.0.1", "localhost", 1)
	if strings.Contains(x.base, "san_ip = "+local+"\n") {
		address, local = local, address
	}
	x.substitute("san_ip = "+address+"\n", "san_ip = "+local+"\n")
	x.configure()
}

// rotate gives an array another token, and then changes that of the agent.
func (x *chaos) rotate(inConfig bool) {
	i, ok := x.pick(func(i int) bool { return (x.tokenFiles[i] == "") == inConfig })
	if !ok {
		return
	}
	old := x.tokens[i]
	x.tokens[i] = secret()
	x.arrays[i].SetTokens(x.tokens[i])
	x.arrays[i].ExpireSessions()
	if inConfig {
		x.substitute(old, x.tokens[i])
		x.configure()
		return
	}
	x.replace(x.tokenFiles[i], x.tokens[i]+"\n")
}
