// The catalogue in Go: Gin, pgx with its pool, count(*) and OFFSET, JWT checked without a query; no limits, no log.
//
// Debian's packages are enough: golang-go, golang-github-gin-gonic-gin-dev, golang-github-jackc-pgx-v4-dev.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

const listed = `p.id, p.sku, p.title, p.price::float8, p.stock, p.images, c.name, p.created_at, p.updated_at,
	p.category_id, c.path, h.id, h.name, p.price_min::float8, p.price_max::float8, p.currency, p.price_tiers,
	p.min_order_quantity, p.unit, p.sold_count, p.status, p.source, p.source_id, p.url, p.attributes, p.version,
	p.source_updated_at, p.synced_at`
const joins = ` FROM products_product p LEFT JOIN products_category c ON c.id = p.category_id
	LEFT JOIN products_shop h ON h.id = p.shop_id `

type Shop struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

type Product struct {
	ID               int64           `json:"id"`
	SKU              string          `json:"sku"`
	Title            string          `json:"title"`
	Price            *float64        `json:"price"`
	Stock            int64           `json:"stock"`
	Images           json.RawMessage `json:"images"`
	Category         *string         `json:"category"`
	CreatedAt        *Moment         `json:"created_at"`
	UpdatedAt        *Moment         `json:"updated_at"`
	CategoryID       *int64          `json:"category_id"`
	CategoryPath     *string         `json:"category_path"`
	Shop             *Shop           `json:"shop"`
	PriceMin         *float64        `json:"price_min"`
	PriceMax         *float64        `json:"price_max"`
	Currency         string          `json:"currency"`
	PriceTiers       json.RawMessage `json:"price_tiers"`
	MinOrderQuantity int64           `json:"min_order_quantity"`
	Unit             string          `json:"unit"`
	SoldCount        int64           `json:"sold_count"`
	Status           string          `json:"status"`
	Source           string          `json:"source"`
	SourceID         string          `json:"source_id"`
	URL              string          `json:"url"`
	Attributes       json.RawMessage `json:"attributes"`
	Version          int64           `json:"version"`
	SourceUpdatedAt  *Moment         `json:"source_updated_at"`
	SyncedAt         *Moment         `json:"synced_at"`
}

type Sku struct {
	ID          int64           `json:"id"`
	SourceSkuID string          `json:"source_sku_id"`
	SpecID      string          `json:"spec_id"`
	Code        string          `json:"code"`
	Spec        json.RawMessage `json:"spec"`
	Price       *float64        `json:"price"`
	PriceTiers  json.RawMessage `json:"price_tiers"`
	Stock       int64           `json:"stock"`
	Image       string          `json:"image"`
}

type Whole struct {
	Product
	Description string   `json:"description"`
	OwnedFields []string `json:"owned_fields"`
	Conflicts   []string `json:"conflicts"`
	Skus        []Sku    `json:"skus"`
}

// Moment goes out in UTC and whole seconds.
type Moment time.Time

func (moment Moment) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(moment).UTC().Format(`"2006-01-02T15:04:05Z"`)), nil
}

func moment(value *time.Time) *Moment {
	if value == nil {
		return nil
	}
	shown := Moment(*value)
	return &shown
}

var pool *pgxpool.Pool

func main() {
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	config.MaxConns = 40
	if pool, err = pgxpool.ConnectConfig(context.Background(), config); err != nil {
		log.Fatal(err)
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.Use(gin.Recovery(), authenticate([]byte(os.Getenv("JWT_SIGNING_KEY"))))
	engine.GET("/api/v1/products", products)
	engine.GET("/api/v1/products/search", search)
	engine.GET("/api/v1/products/:id", detail)
	log.Fatal(engine.Run("127.0.0.1:" + os.Args[1]))
}

func authenticate(key []byte) gin.HandlerFunc {
	return func(c *gin.Context) {
		parts := strings.Split(strings.TrimPrefix(c.GetHeader("Authorization"), "Bearer "), ".")
		if len(parts) != 3 || !valid(parts, key) {
			c.AbortWithStatus(http.StatusUnauthorized)
		}
	}
}

func valid(parts []string, key []byte) bool {
	signed := hmac.New(sha256.New, key)
	signed.Write([]byte(parts[0] + "." + parts[1]))
	given, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !hmac.Equal(given, signed.Sum(nil)) {
		return false
	}
	var claims struct {
		Exp int64 `json:"exp"`
	}
	body, err := base64.RawURLEncoding.DecodeString(parts[1])
	return err == nil && json.Unmarshal(body, &claims) == nil && claims.Exp > time.Now().Unix()
}

func products(c *gin.Context) {
	if category := c.Query("category_id"); category != "" {
		id, err := strconv.ParseInt(category, 10, 64)
		if err != nil {
			c.AbortWithStatus(http.StatusBadRequest)
			return
		}
		page(c, "p.category_id = $1 AND p.deleted_at IS NULL", id)
		return
	}
	page(c, "$1::text IS NULL AND p.deleted_at IS NULL", nil)
}

func search(c *gin.Context) {
	page(c, "p.title ILIKE $1 AND p.deleted_at IS NULL", "%"+c.Query("q")+"%")
}

func page(c *gin.Context, condition string, value interface{}) {
	number, size := whole(c.DefaultQuery("page", "1")), whole(c.DefaultQuery("page_size", "20"))
	var total int64
	count := "SELECT count(*) FROM products_product p WHERE " + condition
	if err := pool.QueryRow(c, count, value).Scan(&total); err != nil {
		fail(c, err)
		return
	}
	query := "SELECT " + listed + joins + "WHERE " + condition + " ORDER BY p.id DESC LIMIT $2 OFFSET $3"
	rows, err := pool.Query(c, query, value, size, (number-1)*size)
	if err != nil {
		fail(c, err)
		return
	}
	defer rows.Close()
	items := make([]Product, 0, size)
	for rows.Next() {
		var product Product
		if err := scan(rows, &product); err != nil {
			fail(c, err)
			return
		}
		items = append(items, product)
	}
	answer(c, gin.H{"items": items, "total": total, "page": number, "page_size": size,
		"pages": (total + size - 1) / size, "total_exact": true, "next_cursor": nil})
}

func detail(c *gin.Context) {
	id := whole(c.Param("id"))
	query := "SELECT " + listed + ", p.description, p.owned_fields, coalesce(p.conflicts, '{}')" + joins +
		"WHERE p.id = $1 AND p.deleted_at IS NULL"
	var product Whole
	row := pool.QueryRow(c, query, id)
	if err := scan(row, &product.Product, &product.Description, &product.OwnedFields, &product.Conflicts); err != nil {
		fail(c, err)
		return
	}
	rows, err := pool.Query(c, `SELECT id, source_sku_id, spec_id, code, spec, price::float8, price_tiers, stock, image
		FROM products_sku WHERE product_id = $1 ORDER BY position, id`, id)
	if err != nil {
		fail(c, err)
		return
	}
	defer rows.Close()
	product.Skus = []Sku{}
	for rows.Next() {
		var s Sku
		if err := rows.Scan(&s.ID, &s.SourceSkuID, &s.SpecID, &s.Code, &s.Spec, &s.Price, &s.PriceTiers, &s.Stock,
			&s.Image); err != nil {
			fail(c, err)
			return
		}
		product.Skus = append(product.Skus, s)
	}
	answer(c, product)
}

func scan(row pgx.Row, p *Product, more ...interface{}) error {
	var created, updated, told, synced *time.Time
	var shopID *int64
	var shopName *string
	places := []interface{}{&p.ID, &p.SKU, &p.Title, &p.Price, &p.Stock, &p.Images, &p.Category, &created, &updated,
		&p.CategoryID, &p.CategoryPath, &shopID, &shopName, &p.PriceMin, &p.PriceMax, &p.Currency, &p.PriceTiers,
		&p.MinOrderQuantity, &p.Unit, &p.SoldCount, &p.Status, &p.Source, &p.SourceID, &p.URL, &p.Attributes,
		&p.Version, &told, &synced}
	if err := row.Scan(append(places, more...)...); err != nil {
		return err
	}
	p.CreatedAt, p.UpdatedAt = moment(created), moment(updated)
	p.SourceUpdatedAt, p.SyncedAt = moment(told), moment(synced)
	if shopID != nil {
		p.Shop = &Shop{*shopID, *shopName}
	}
	return nil
}

func whole(text string) int64 {
	number, _ := strconv.ParseInt(text, 10, 64)
	return number
}

func answer(c *gin.Context, data interface{}) {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	c.JSON(http.StatusOK, gin.H{"code": 200, "message": "Success", "data": data,
		"timestamp": Moment(time.Now()), "request_id": hex.EncodeToString(id)})
}

func fail(c *gin.Context, err error) {
	if err == pgx.ErrNoRows {
		c.AbortWithStatus(http.StatusNotFound)
		return
	}
	_ = c.AbortWithError(http.StatusInternalServerError, err)
}
