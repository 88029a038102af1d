"""The categories in English: for `category.translation.getById`, and for keywords in English."""

from functools import cache

_TABLE = """
10166 Women's clothing|1031910 Dresses|1031918 T-shirts|201128501 Skirts and trousers|1031920 Skirts
1034340 Women's jeans|1031912 Women's casual trousers|201128502 Tops and coats|1031919 Women's shirts
1031925 Knitwear|122704004 Women's down jackets|10165 Men's clothing|201128601 Men's tops
127424004 Men's T-shirts|1031863 Men's shirts|1031866 Men's jackets|201128602 Men's trousers|1031868 Men's jeans
1031870 Men's casual trousers|311 Children's clothing|1037012 Children's sets|1037039 Children's suits
1037192 Girls' dresses|1037013 Baby clothing|1037648 Rompers|312 Underwear|1037003 Socks|1037005 Cotton socks
1037007 No-show socks|1037004 Homewear|1037011 Pyjama sets|1038378 Shoes|126506004 Men's shoes
126484005 Men's casual shoes|126442003 Men's board shoes|201831311 Clogs|125372002 Women's shoes
125274013 Women's dad shoes|1038548 Women's flats|1042954 Bags and leather goods|124016002 Women's bags
201580619 Women's shoulder bags|201960405 Tote bags|201554511 Chain crossbody bags|124016003 Functional bags
1042841 Backpacks|1042844 Suitcases|54 Accessories and jewellery|80 Eyewear|1031922 Sunglasses
122084101 Jewellery|1031904 Necklaces|1031905 Earrings|1031906 Bracelets|122084102 Hair accessories
1031908 Hair clips|1813 Toys|1813101 Educational toys|1044311 Building blocks|1044312 Flash cards
1813102 Plush toys|1044320 Stuffed animals|15 Household goods|122084201 Storage|1043351 Storage boxes
1043352 Hangers|122084202 Drinkware|1043381 Vacuum flasks|1043382 Glasses|67 Kitchenware|122084301 Cookware
1043411 Woks|1043412 Knives|122084302 Tableware|1043421 Ceramic bowls|96 Home textiles|122084401 Bedding
1043501 Four-piece sets|1043502 Summer quilts|122084402 Home decoration|1043511 Curtains|1043512 Cushions
7 Digital and computers|122084501 Phone accessories|1034411 Phone cases|1034412 Data cables|1034413 Chargers
123456 Electronics|1034421 Bluetooth headphones|6 Home appliances|122084601 Small appliances|1034501 Small fans
1034502 Humidifiers|68 Lighting|201273469 Outdoor lamps|201273473 Outdoor lighting|201273475 Solar garden lamps
201273470 Indoor lamps|201273481 Desk lamps|9101 Packaging|10208 Paper packaging|122084002 Cartons
122084003 Gift boxes|10209 Plastic packaging|122084010 Zip bags|18 Sports and outdoors
121876002 Outdoor footwear|121912001 Hiking shoes|122084701 Fitness equipment|1035511 Yoga mats
1035512 Resistance bands|122916001 Pets and garden|122916010 Pet supplies|122916011 Pet beds
122916012 Cat litter|122916020 Garden supplies|122916021 Flower pots|97 Beauty|122084801 Make-up tools
1046611 Make-up brushes|1046612 Make-up sponges|21 Office and culture|122084901 Stationery|1046711 Notebooks
1046712 Gel pens
"""


@cache
def english_names() -> dict[int, str]:
    """Every category's English name by its number."""
    rows = (row.split(maxsplit=1) for row in _TABLE.strip().replace("\n", "|").split("|"))
    return {int(number): name for number, name in rows}
