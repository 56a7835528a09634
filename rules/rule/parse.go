package rule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"hawker/internal/plain"
)

// Parse reads rules from YAML or JSON: one, a list, or a list under the key rules. Its error is a plain.Faults with the places
// of all that is wrong with their form; what their texts and expressions name is checked by book.New.
func Parse(text []byte) ([]Rule, error) {
	doc := plain.Parse(text)
	faults := doc.Faults
	if doc.Root == nil {
		return nil, faults.Err()
	}
	nodes := []*plain.Node{doc.Root}
	switch n := doc.Root; {
	case n.Kind == plain.List:
		nodes = n.Items
	case n.Kind == plain.Object && len(n.Fields) == 1 && n.Fields[0].Key == "rules" && n.Fields[0].Value.Kind == plain.List:
		nodes = n.Fields[0].Value.Items
	}
	if len(nodes) > MaxRules {
		faults = append(faults, plain.Fault{Pos: doc.Root.At, Msg: fmt.Sprintf("%d rules; at most %d are kept", len(nodes), MaxRules)})
		return nil, faults.Err()
	}
	var all []Rule
	for _, n := range nodes {
		r, src, wrong := Read(n)
		if len(wrong) == 0 {
			if e := Check(&r); e != nil {
				wrong = plain.Faults{{Pos: src.Place(doc, e), Msg: e.Msg}}
			}
		}
		faults = append(faults, wrong...)
		all = append(all, r)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// UnmarshalJSON reads what MarshalJSON writes. It checks the form only; see Check.
func (r *Rule) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	n, err := jsonNode(d, 0)
	if err != nil {
		return err
	}
	out, _, faults := Read(n)
	for i := range faults {
		faults[i].Pos = plain.Pos{} // JSON of ours has no lines that anybody reads
	}
	if err := faults.Err(); err != nil {
		return err
	}
	*r = out
	return nil
}

// maxDeep is how deep the JSON of a rule may be: rule, then, action, list.
const maxDeep = 8

// jsonNode reads one value as a node, as the same text in YAML would be.
func jsonNode(d *json.Decoder, deep int) (*plain.Node, error) {
	if deep > maxDeep {
		return nil, errors.New("too deep for a rule")
	}
	t, err := d.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	switch t := t.(type) {
	case string:
		return &plain.Node{Kind: plain.Scalar, Text: t}, nil
	case json.Number:
		return &plain.Node{Kind: plain.Scalar, Text: t.String()}, nil
	case bool:
		return &plain.Node{Kind: plain.Scalar, Text: fmt.Sprint(t)}, nil
	case nil:
		return &plain.Node{Kind: plain.Empty}, nil
	}
	n := &plain.Node{Kind: plain.List}
	object := t == json.Delim('{')
	if object {
		n.Kind = plain.Object
	}
	for d.More() {
		var key string
		if object {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			key, _ = k.(string)
		}
		v, err := jsonNode(d, deep+1)
		if err != nil {
			return nil, err
		}
		if object {
			n.Fields = append(n.Fields, plain.Field{Key: key, Value: v})
		} else {
			n.Items = append(n.Items, v)
		}
	}
	_, err = d.Token()
	return n, err
}
