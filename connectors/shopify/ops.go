package shopify

import "hawker/connectors/shopify/admin"

// Every operation we send, each valid in API versions 2026-01 to 2026-10 and without deprecated fields.

var opShop = admin.Operation{Name: "AppScopes", Cost: 5, Rank: admin.RankRest, Text: `query AppScopes {
  currentAppInstallation { id accessScopes { handle } }
  shop { id name myshopifyDomain currencyCode plan { publicDisplayName } }
}`}

var opCatalogue = admin.Operation{Name: "CatalogPage", Cost: 700, Rank: admin.RankRest, Text: `query CatalogPage($after: String, $q: String) {
  products(first: 10, after: $after, query: $q, sortKey: ID) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id title tags
      featuredMedia { preview { image { url(transform: {maxWidth: 600}) } } }
      options { name }
      variants(first: 20) {
        pageInfo { hasNextPage endCursor }
        nodes { id sku price selectedOptions { name value } inventoryItem { id } }
      }
    }
  }
}`}

var opVariants = admin.Operation{Name: "VariantPage", Cost: 210, Rank: admin.RankRest, Text: `query VariantPage($id: ID!, $after: String) {
  product(id: $id) {
    variants(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id sku price selectedOptions { name value } inventoryItem { id } }
    }
  }
}`}

var opStock = admin.Operation{Name: "Stock", Cost: 800, Rank: admin.RankStock, Text: `query Stock($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on InventoryItem {
      id tracked
      variants(first: 1) { nodes { id inventoryPolicy } }
      inventoryLevels(first: 10) {
        pageInfo { hasNextPage }
        nodes { id location { id isActive fulfillsOnlineOrders } quantities(names: ["available"]) { name quantity } }
      }
    }
  }
}`}

var opStockAdjust = admin.Operation{Name: "StockAdjust", Cost: 10, Rank: admin.RankStock, Once: true, Text: `mutation StockAdjust(
  $in: InventoryAdjustQuantitiesInput!, $key: String!
) {
  inventoryAdjustQuantities(input: $in) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { field message code }
  }
}`}

const draftFields = `id name status ready invoiceUrl reserveInventoryUntil createdAt tags
      customAttributes { key value }
      order { id }
      totalPriceSet { presentmentMoney { amount currencyCode } }
      warnings { errorCode field message }`

var opHoldCreate = admin.Operation{Name: "HoldCreate", Cost: 10, Rank: admin.RankHold, Once: true, Text: `mutation HoldCreate($in: DraftOrderInput!) {
  draftOrderCreate(input: $in) {
    draftOrder { ` + draftFields + ` }
    userErrors { field message }
  }
}`}

var opHold = admin.Operation{Name: "Hold", Cost: 10, Rank: admin.RankHold, Text: `query Hold($id: ID!) {
  draftOrder(id: $id) { ` + draftFields + ` }
}`}

// opHoldFind looks in two ways: the search by tag lags behind, the newest drafts by id do not.
var opHoldFind = admin.Operation{Name: "HoldFind", Cost: 300, Rank: admin.RankHold, Text: `query HoldFind($q: String!) {
  tagged: draftOrders(first: 10, query: $q) { nodes { ` + draftFields + ` } }
  newest: draftOrders(first: 25, sortKey: ID, reverse: true) { nodes { ` + draftFields + ` } }
}`}

var opHoldsOpen = admin.Operation{Name: "HoldsOpen", Cost: 400, Rank: admin.RankStock, Text: `query HoldsOpen($after: String) {
  draftOrders(first: 50, after: $after, query: "status:open tag:hawker", sortKey: ID) {
    pageInfo { hasNextPage endCursor }
    nodes { ` + draftFields + ` }
  }
}`}

var opHoldRelease = admin.Operation{Name: "HoldRelease", Cost: 10, Rank: admin.RankRelease, Text: `mutation HoldRelease($in: DraftOrderDeleteInput!) {
  draftOrderDelete(input: $in) { deletedId userErrors { field message } }
}`}

var opHookList = admin.Operation{Name: "HookList", Cost: 102, Rank: admin.RankRest, Text: `query HookList($after: String) {
  webhookSubscriptions(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { id topic uri filter format }
  }
}`}

var opHookCreate = admin.Operation{Name: "HookCreate", Cost: 10, Rank: admin.RankRest, Text: `mutation HookCreate(
  $t: WebhookSubscriptionTopic!, $w: WebhookSubscriptionInput!
) {
  webhookSubscriptionCreate(topic: $t, webhookSubscription: $w) { webhookSubscription { id } userErrors { field message } }
}`}

var opHookDelete = admin.Operation{Name: "HookDelete", Cost: 10, Rank: admin.RankRest, Text: `mutation HookDelete($id: ID!) {
  webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}`}

const orderFields = `id name createdAt updatedAt cancelledAt displayFinancialStatus sourceName test
      customAttributes { key value }
      totalPriceSet { shopMoney { amount currencyCode } }
      currentTotalPriceSet { shopMoney { amount currencyCode } }
      lineItems(first: 10) {
        pageInfo { hasNextPage endCursor }
        nodes { id currentQuantity variant { id } originalUnitPriceSet { shopMoney { amount currencyCode } } }
      }`

var opOrders = admin.Operation{Name: "OrdersSince", Cost: 800, Rank: admin.RankStock, Text: `query OrdersSince($after: String, $q: String!) {
  orders(first: 15, after: $after, query: $q, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { ` + orderFields + ` }
  }
}`}

var opOrder = admin.Operation{Name: "Order", Cost: 60, Rank: admin.RankStock, Text: `query Order($id: ID!) {
  order(id: $id) { ` + orderFields + ` }
}`}

// opDraftsPaid finds the orders that our drafts became: an order does not name its draft.
var opDraftsPaid = admin.Operation{Name: "DraftsPaid", Cost: 120, Rank: admin.RankStock, Text: `query DraftsPaid {
  draftOrders(first: 50, query: "status:completed tag:hawker", sortKey: UPDATED_AT, reverse: true) { nodes { id order { id } } }
}`}

var opOrderLines = admin.Operation{Name: "OrderLines", Cost: 250, Rank: admin.RankStock, Text: `query OrderLines($id: ID!, $after: String) {
  order(id: $id) {
    lineItems(first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id currentQuantity variant { id } originalUnitPriceSet { shopMoney { amount currencyCode } } }
    }
  }
}`}

const discountFields = `id
      codeDiscount {
        __typename
        ... on DiscountCodeBasic {
          title status startsAt endsAt asyncUsageCount codes(first: 1) { nodes { code } }
          customerGets { value { __typename ... on DiscountPercentage { percentage } ... on DiscountAmount { amount { amount currencyCode } } } }
        }
      }`

// opCodeCreate may be asked for again when its answer was lost: a code can be taken once.
var opCodeCreate = admin.Operation{Name: "CodeCreate", Cost: 10, Rank: admin.RankStock, Once: true, Text: `mutation CodeCreate(
  $d: DiscountCodeBasicInput!
) {
  discountCodeBasicCreate(basicCodeDiscount: $d) {
    codeDiscountNode { ` + discountFields + ` }
    userErrors { field message code }
  }
}`}

var opCode = admin.Operation{Name: "Code", Cost: 12, Rank: admin.RankStock, Text: `query Code($code: String!) {
  codeDiscountNodeByCode(code: $code) { ` + discountFields + ` }
}`}

var opCodeEnd = admin.Operation{Name: "CodeEnd", Cost: 10, Rank: admin.RankStock, Text: `mutation CodeEnd($id: ID!) {
  discountCodeDeactivate(id: $id) { codeDiscountNode { id } userErrors { field message code } }
}`}

// operations are all of the above, for the tests that hold them against the store's schema.
func operations() []admin.Operation {
	return []admin.Operation{
		opShop, opCatalogue, opVariants, opStock, opStockAdjust, opHoldCreate, opHold, opHoldFind, opHoldsOpen, opHoldRelease,
		opHookList, opHookCreate, opHookDelete, opOrders, opOrder, opDraftsPaid, opOrderLines,
		opCodeCreate, opCode, opCodeEnd,
	}
}
