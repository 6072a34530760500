package cinder

// walk visits a node and all below it, in the order of the text.
func walk(n node, visit func(node)) {
	visit(n)
	for _, child := range children(n) {
		walk(child, visit)
	}
}

func children(n node) []node {
	switch n := n.(type) {
	case *unary:
		return []node{n.x}
	case *call:
		return []node{n.x}
	case *sequence:
		return n.members
	case *fold:
		all := []node{n.first}
		for i := range n.steps {
			all = append(all, n.steps[i].x)
		}
		return all
	case *compared:
		all := []node{n.first}
		for i := range n.links {
			all = append(all, n.links[i].x)
		}
		return all
	case *choice:
		return []node{n.condition, n.yes, n.no}
	case *junction:
		return []node{n.left, n.right}
	}
	return nil
}
