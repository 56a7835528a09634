package desk

import "slices"

// Right is something that a member may see or do.
type Right string

// Rights. See is the list of shows and the live desk without money; Money adds what was paid; Run is what the host does
// while live; Plan is setting shows up, with their video; Rules is changing rules, which everybody sees.
const (
	See         Right = "see"
	Run         Right = "run"
	Money       Right = "money"
	ChangeStock Right = "stock"
	Plan        Right = "plan"
	Rules       Right = "rules"
	Connects    Right = "connect"
	Store       Right = "store"
	Audit       Right = "audit"
)

// Rights are all rights.
func Rights() []Right {
	return []Right{See, Run, Money, ChangeStock, Plan, Rules, Connects, Store, Audit}
}

// May says who may what. An unknown role may nothing.
func May(role string, right Right) bool {
	return slices.Contains(map[string][]Right{
		"owner":     {See, Run, Money, ChangeStock, Plan, Rules, Connects, Store, Audit},
		"manager":   {See, Run, Money, ChangeStock, Plan, Rules, Connects, Store, Audit},
		"creator":   {See, Run, Money, ChangeStock, Plan, Connects},
		"moderator": {See, Run},
	}[role], right)
}

// May reports whether the visitor has a right.
func (v *Visitor) May(right Right) bool { return May(v.Member.Role, right) }
