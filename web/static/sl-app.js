// The page's root element.
