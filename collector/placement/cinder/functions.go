package cinder

import (
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// functions are the filter or goodness functions of a snapshot, compiled and
// with the slots filled that depend on the reports alone.
type functions struct {
	key   string
	rows  []backendFunction
	pools *pools
	// programs are all different functions among the rows.
	programs []*compiled
}

// function is one backend's.
type backendFunction struct {
	text     string
	program  *compiled // nil if it has none, or one that does not compile
	err      error     // why it does not compile
	variants []variant
}

// compiled is an expression that backends share.
type compiled struct {
	*function.Function
	index int // in functions.programs
	// asked are the slots that each request fills in anew.
	asked []int
}

// variant is a function with one of the spellings of the protocol; there is
// just one unless the function asks for the protocol.
type variant struct {
	slots []function.Operand
	// result is kept if nothing but the report goes into it.
	result    function.Operand
	resultErr error
}

// newFunctions returns the view that compiles the functions under a key.
// Filter functions may also read the identity of a backend from their stats,
// goodness functions may not.
func newFunctions(key string, view *placement.View[*pools], identity bool) *placement.View[*functions] {
	return placement.NewView(func(s *placement.Snapshot) *functions {
		fs := &functions{key: key, pools: view.Of(s), rows: make([]backendFunction, s.Len())}
		known := map[string]*compiled{}
		for i := range fs.rows {
			fs.compile(&fs.rows[i], s.At(i), known)
			fs.rows[i].fill(reportScope{b: s.At(i), pool: &fs.pools.rows[i], identity: identity})
		}
		return fs
	})
}

func (fs *functions) compile(f *backendFunction, b *placement.Backend, known map[string]*compiled) {
	v, ok := b.Value(fs.key)
	if !ok || v.IsNull() {
		return
	}
	f.text = v.String()
	if f.program, ok = known[f.text]; ok {
		return
	}
	e, err := function.Compile(f.text)
	if err != nil {
		f.err = err
		return
	}
	f.program = &compiled{Function: e, index: len(fs.programs)}
	for slot, name := range e.Names() {
		if asksRequest(name) {
			f.program.asked = append(f.program.asked, slot)
		}
	}
	fs.programs = append(fs.programs, f.program)
	known[f.text] = f.program
}

func asksRequest(n function.Name) bool {
	return n.Scope == function.ScopeVolume || n.Scope == function.ScopeExtra || n.Scope == function.ScopeQoS
}

// fill computes the slots that depend on the report.
func (f *backendFunction) fill(scope reportScope) {
	if f.program == nil {
		return
	}
	protocol, _ := scope.b.Value(capability.KeyStorageProtocol)
	spellings, several := protocol.List()
	if !several || !strings.Contains(f.text, capability.KeyStorageProtocol) {
		spellings = []capability.Value{protocol}
	}
	for _, spelling := range spellings {
		scope.protocol = spelling
		v := variant{slots: make([]function.Operand, len(f.program.Names()))}
		for slot, name := range f.program.Names() {
			v.slots[slot] = scope.operand(name)
		}
		if len(f.program.asked) == 0 {
			v.result, v.resultErr = f.program.Run(v.slots)
		}
		f.variants = append(f.variants, v)
	}
}

// reportScope is what a function may read of a backend
// (_generate_stats in cinder/scheduler/filters/driver_filter.py and
// cinder/scheduler/weights/goodness.py).
type reportScope struct {
	b        *placement.Backend
	pool     *pool
	protocol capability.Value
	identity bool // whether stats have the cluster's name and the backend's ID
}

func (s reportScope) operand(name function.Name) function.Operand {
	var v capability.Value
	ok := false
	switch {
	case name.Key == capability.KeyStorageProtocol && (name.Scope == function.ScopeStats || name.Scope == function.ScopeCapabilities):
		v, ok = s.protocol, true
	case name.Scope == function.ScopeCapabilities:
		v, ok = s.b.Value(name.Key)
	case name.Scope == function.ScopeStats:
		v, ok = s.stat(name.Key)
	}
	if !ok {
		return function.Operand{}
	}
	return function.OperandOf(v)
}

func (s reportScope) stat(key string) (capability.Value, bool) {
	switch key {
	case "host":
		return capability.OfString(s.pool.host), true
	case "cluster_name", "backend_id":
		return s.pool.attribute(s.b, key), s.identity
	case capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion,
		capability.KeyQoSSupport, capability.KeyTotalCapacity, capability.KeyReservedPercentage,
		capability.KeyAllocatedCapacity, capability.KeyFreeCapacity, "updated":
		return s.pool.attribute(s.b, key), true
	}
	return capability.Value{}, false
}

// requestFunctions is a request to the functions of a snapshot.
type requestFunctions struct {
	*functions
	// answers are what the request says to each program's asked slots.
	answers [][]function.Operand
}

func (fs *functions) ask(r *Request) requestFunctions {
	a := requestFunctions{functions: fs, answers: make([][]function.Operand, len(fs.programs))}
	vars := r.vars()
	for i, p := range fs.programs {
		for _, slot := range p.asked {
			name := p.Names()[slot]
			answer := function.Operand{}
			if v, ok := vars[name.Scope][name.Key]; ok {
				answer = function.OperandOf(v)
			}
			a.answers[i] = append(a.answers[i], answer)
		}
	}
	return a
}

// vars are what a function may read of a request.
func (r *Request) vars() function.Vars {
	volume := r.Properties
	if _, ok := volume["size"]; !ok {
		volume = volume.Overlay(capability.Set{"size": capability.OfInt(r.Size)})
	}
	return function.Vars{function.ScopeVolume: volume, function.ScopeExtra: r.specs().Set(), function.ScopeQoS: r.QoS}
}

// run evaluates a backend's function. The buffer memory is for slots that do
// not depend on the report alone.
func (a *requestFunctions) run(b *placement.Backend, v *variant, buffer *[]function.Operand) (function.Operand, error) {
	p := a.rows[b.Index()].program
	if len(p.asked) == 0 && !b.Charged() {
		return v.result, v.resultErr
	}
	*buffer = a.slots((*buffer)[:0], b, v)
	return p.Run(*buffer)
}

// slots appends what the function reads, in the order it wants.
func (a *requestFunctions) slots(dst []function.Operand, b *placement.Backend, v *variant) []function.Operand {
	p := a.rows[b.Index()].program
	dst = append(dst, v.slots...)
	for i, slot := range p.asked {
		dst[slot] = a.answers[p.index][i]
	}
	if b.Charged() {
		a.recharge(b, p, dst)
	}
	return dst
}

// recharge fills in what placing volumes has changed since the report.
func (fs *functions) recharge(b *placement.Backend, p *compiled, slots []function.Operand) {
	scope := reportScope{b: b, pool: &fs.pools.rows[b.Index()]}
	for slot, name := range p.Names() {
		switch name.Key {
		case capability.KeyAllocatedCapacity, capability.KeyFreeCapacity,
			capability.KeyTotalVolumes, capability.KeyLiveVolumes:
			if name.Scope == function.ScopeCapabilities || name.Scope == function.ScopeStats {
				slots[slot] = scope.operand(name)
			}
		}
	}
}

// The lengths of what an explanation quotes, in characters.
const (
	maxFunction = 200
	maxOperand  = 60
)

// quoteFunction shows the text of a function, or the beginning of a long one.
func quoteFunction(text string) string { return strconv.Quote(capability.Shorten(text, maxFunction)) }

func shortValue(o function.Operand) string { return capability.Shorten(o.String(), maxOperand) }

// operands lists what a function has read, for people.
func (a *requestFunctions) operands(b *placement.Backend) string {
	f := &a.rows[b.Index()]
	if f.program == nil || len(f.program.Names()) == 0 {
		return ""
	}
	slots := a.slots(nil, b, &f.variants[0])
	parts := make([]string, len(slots))
	for i, name := range f.program.Names() {
		parts[i] = capability.Shorten(name.String(), maxOperand) + " " + shortValue(slots[i])
	}
	return " with " + strings.Join(parts, ", ")
}
