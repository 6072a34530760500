package cinder

import (
	"strconv"
	"strings"

	"github.com/poolcast/poolcast/collector/capability"
	"github.com/poolcast/poolcast/collector/capability/format"
	"github.com/poolcast/poolcast/collector/placement"
	"github.com/poolcast/poolcast/collector/placement/function"
)

// functions are the compiled filter or goodness functions of a snapshot, with the
// slots that depend on the reports alone.
type functions struct {
	key   string
	rows  []backendFunction
	views *reportViews
	// programs are the different functions among the rows.
	programs []*compiled
}

// backendFunction is the function of one backend.
type backendFunction struct {
	text     string
	program  *compiled // nil if it has none, or one that does not compile
	err      error     // why it does not compile
	variants []variant
}

// compiled is a function that backends share.
type compiled struct {
	*function.Function
	index int // in functions.programs
	// requestSlots are the slots that depend on the request.
	requestSlots []int
}

// variant is a function with one of the spellings of the protocol; there is only
// one unless the function reads the protocol.
type variant struct {
	slots []function.Operand
	// result is the one for every request, if only the report is read.
	result    function.Operand
	resultErr error
}

// newFunctions returns the view that compiles the functions under a key.
// Filter functions may also read the identity of a backend from their stats,
// goodness functions may not.
func newFunctions(key string, views *placement.View[*reportViews], identity bool) *placement.View[*functions] {
	return placement.NewView(func(s *placement.Snapshot) *functions {
		fs := &functions{key: key, views: views.Of(s), rows: make([]backendFunction, s.Len())}
		known := map[string]*compiled{}
		for i := range fs.rows {
			fs.compile(&fs.rows[i], s.At(i), known)
			fs.rows[i].fill(reportScope{b: s.At(i), report: &fs.views.rows[i], identity: identity})
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
		if dependsOnRequest(name) {
			f.program.requestSlots = append(f.program.requestSlots, slot)
		}
	}
	fs.programs = append(fs.programs, f.program)
	known[f.text] = f.program
}

func dependsOnRequest(n function.Name) bool {
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
		if len(f.program.requestSlots) == 0 {
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
	report   *reportView
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
		return capability.OfString(s.report.host), true
	case "cluster_name", "backend_id":
		return s.report.attribute(s.b, key), s.identity
	case capability.KeyVolumeBackendName, capability.KeyVendorName, capability.KeyDriverVersion,
		capability.KeyQoSSupport, capability.KeyTotalCapacity, capability.KeyReservedPercentage,
		capability.KeyAllocatedCapacity, capability.KeyFreeCapacity, "updated":
		return s.report.attribute(s.b, key), true
	}
	return capability.Value{}, false
}

// requestFunctions are the functions of a snapshot with a request's values.
type requestFunctions struct {
	*functions
	// values are those of each program's requestSlots.
	values [][]function.Operand
}

func (fs *functions) bind(r *Request) requestFunctions {
	rf := requestFunctions{functions: fs, values: make([][]function.Operand, len(fs.programs))}
	vars := r.vars()
	for i, p := range fs.programs {
		for _, slot := range p.requestSlots {
			name := p.Names()[slot]
			value := function.Operand{}
			if v, ok := vars[name.Scope][name.Key]; ok {
				value = function.OperandOf(v)
			}
			rf.values[i] = append(rf.values[i], value)
		}
	}
	return rf
}

// vars are what a function may read of a request.
func (r *Request) vars() function.Vars {
	volume := r.Properties
	if _, ok := volume["size"]; !ok {
		volume = volume.Overlay(capability.Set{"size": capability.OfInt(r.Size)})
	}
	return function.Vars{function.ScopeVolume: volume, function.ScopeExtra: r.specs().dictionary(), function.ScopeQoS: r.QoS}
}

// run evaluates a backend's function. The buffer is for slots that do not depend on
// the report alone.
func (rf *requestFunctions) run(b *placement.Backend, v *variant, buffer *[]function.Operand) (function.Operand, error) {
	p := rf.rows[b.Index()].program
	if len(p.requestSlots) == 0 && !b.Consumed() {
		return v.result, v.resultErr
	}
	*buffer = rf.slots((*buffer)[:0], b, v)
	return p.Run(*buffer)
}

// slots appends the values of the function in the order of its names.
func (rf *requestFunctions) slots(dst []function.Operand, b *placement.Backend, v *variant) []function.Operand {
	p := rf.rows[b.Index()].program
	dst = append(dst, v.slots...)
	for i, slot := range p.requestSlots {
		dst[slot] = rf.values[p.index][i]
	}
	if b.Consumed() {
		rf.refresh(b, p, dst)
	}
	return dst
}

// refresh sets the slots that placing volumes has changed since the report.
func (fs *functions) refresh(b *placement.Backend, p *compiled, slots []function.Operand) {
	scope := reportScope{b: b, report: &fs.views.rows[b.Index()]}
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

// The lengths of what an explanation includes, in characters.
const (
	maxFunction = 200
	maxOperand  = 60
)

// quoteFunction is the text of a function, or the beginning of a long one.
func quoteFunction(text string) string { return strconv.Quote(format.Shorten(text, maxFunction)) }

func shortValue(o function.Operand) string { return format.Shorten(o.String(), maxOperand) }

// operands lists the values that a function has read.
func (rf *requestFunctions) operands(b *placement.Backend) string {
	f := &rf.rows[b.Index()]
	if f.program == nil {
		return ""
	}
	all := make([]int, len(f.program.Names()))
	for i := range all {
		all[i] = i
	}
	return f.program.with(rf.slots(nil, b, &f.variants[0]), all)
}

// with lists the values of some slots.
func (c *compiled) with(values []function.Operand, slots []int) string {
	if len(slots) == 0 {
		return ""
	}
	parts := make([]string, len(slots))
	for i, slot := range slots {
		parts[i] = format.Shorten(c.Names()[slot].String(), maxOperand) + " " + shortValue(values[slot])
	}
	return " with " + strings.Join(parts, ", ")
}
