// The cast of the sandbox: a shop (acme) and its research side (acme-labs).

export const people = [
  ['amara-okafor', 'Amara Okafor', 'Lagos'],
  ['lukas-brandt', 'Lukas Brandt', 'Hamburg'],
  ['mei-tanaka', 'Mei Tanaka', 'Osaka'],
  ['sofia-marques', 'Sofia Marques', 'Porto'],
  ['jonas-lindqvist', 'Jonas Lindqvist', 'Malmö'],
  ['priya-raman', 'Priya Raman', 'Chennai'],
  ['diego-fuentes', 'Diego Fuentes', 'Valparaíso'],
  ['hannah-weiss', 'Hannah Weiss', 'Vienna'],
  ['omar-haddad', 'Omar Haddad', 'Amman'],
  ['chloe-martin', 'Chloé Martin', 'Lyon'],
  ['kwame-mensah', 'Kwame Mensah', 'Accra'],
  ['ingrid-solberg', 'Ingrid Solberg', 'Bergen'],
  ['tomas-novak', 'Tomáš Novák', 'Brno'],
  ['yara-costa', 'Yara Costa', 'Recife'],
  ['ben-adler', 'Ben Adler', 'Haifa'],
  ['nadia-petrova', 'Nadia Petrova', 'Plovdiv'],
  ['ravi-menon', 'Ravi Menon', 'Kochi'],
  ['eilidh-fraser', 'Eilidh Fraser', 'Inverness'],
  ['marco-bianchi', 'Marco Bianchi', 'Turin'],
  ['linh-pham', 'Linh Phạm', 'Da Nang'],
  ['aaron-whitaker', 'Aaron Whitaker', 'Leeds'],
  ['zuzanna-kowal', 'Zuzanna Kowal', 'Gdańsk'],
  ['samuel-okeke', 'Samuel Okeke', 'Enugu'],
  ['freya-jensen', 'Freya Jensen', 'Aarhus'],
  ['hugo-lefevre', 'Hugo Lefèvre', 'Nantes'],
  ['leila-rahimi', 'Leila Rahimi', 'Shiraz'],
  ['matteo-rossi', 'Matteo Rossi', 'Bologna'],
  ['grace-kimani', 'Grace Kimani', 'Nairobi'],
  ['viktor-hansen', 'Viktor Hansen', 'Odense'],
  ['isla-campbell', 'Isla Campbell', 'Glasgow'],
  ['deniz-aydin', 'Deniz Aydın', 'Izmir'],
] as const

/** Name, description, parent. A parent comes before its children. */
export const teams = [
  ['Platform', 'Runs what everything else runs on', null],
  ['Storefront', 'What a customer sees', null],
  ['Money', 'Payments, invoices, taxes', null],
  ['Data', 'Events, warehouse, models', null],
  ['Developer Experience', 'Build, test and release for everybody', 'Platform'],
  ['Reliability', 'On call, capacity, incidents', 'Platform'],
  ['Checkout', 'From basket to order', 'Storefront'],
  ['Search', 'Finding things, fast', 'Storefront'],
  ['Payments', 'Cards, wallets, refunds', 'Money'],
  ['Fulfilment', 'From order to doorstep', null],
  ['Security', 'Keys, reviews, advisories', null],
] as const

/** Name, description, language, topics, team. */
export const services = [
  ['checkout', 'Basket and order placement', 'TypeScript', 'service,tier-1', 'Checkout'],
  ['payments-api', 'Authorises and captures card payments', 'Go', 'service,tier-1,pci', 'Payments'],
  ['payments-ledger', 'Double-entry ledger of every movement of money', 'Kotlin', 'service,tier-1,pci', 'Payments'],
  ['refunds', 'Refund requests and their state', 'Go', 'service,tier-2', 'Payments'],
  ['invoices', 'Renders and archives invoices', 'Python', 'service,tier-2', 'Money'],
  ['tax-rates', 'Tax rates by country and date', 'Python', 'service,tier-2', 'Money'],
  ['storefront-web', 'The shop in the browser', 'TypeScript', 'frontend,tier-1', 'Storefront'],
  ['storefront-bff', 'Backend of the shop and the apps', 'TypeScript', 'service,tier-1', 'Storefront'],
  ['ios-app', 'The shop on an iPhone', 'Swift', 'mobile', 'Storefront'],
  ['android-app', 'The shop on Android', 'Kotlin', 'mobile', 'Storefront'],
  ['product-search', 'Search and suggestions', 'Rust', 'service,tier-1,open-source', 'Search'],
  ['search-indexer', 'Keeps the search index in step with the catalogue', 'Rust', 'worker,open-source', 'Search'],
  ['recommendations', 'What others bought', 'Python', 'service,ml', 'Data'],
  ['catalogue', 'Products, variants, prices', 'Java', 'service,tier-1', 'Storefront'],
  ['inventory', 'Stock by warehouse', 'Java', 'service,tier-1', 'Fulfilment'],
  ['warehouse-gateway', 'Talks to the warehouses', 'Go', 'service,tier-2', 'Fulfilment'],
  ['shipping-labels', 'Labels of every carrier', 'Python', 'service,tier-2', 'Fulfilment'],
  ['returns', 'Return requests and their labels', 'TypeScript', 'service,tier-3', 'Fulfilment'],
  ['identity', 'Accounts, sessions, sign-in', 'Go', 'service,tier-1', 'Security'],
  ['permissions', 'Who may do what', 'Go', 'service,tier-1', 'Security'],
  ['secrets-rotation', 'Rotates keys before they expire', 'Go', 'worker', 'Security'],
  ['notifications', 'Mail, push and text messages', 'TypeScript', 'service,tier-2', 'Platform'],
  ['feature-flags', 'Flags and gradual rollouts', 'Go', 'service,tier-2', 'Developer Experience'],
  ['event-bus', 'Topics, schemas and their owners', 'Java', 'platform', 'Data'],
  ['warehouse-models', 'Models of the data warehouse', 'SQL', 'data', 'Data'],
  ['clickstream', 'Collects what happens in the shop', 'Rust', 'service,data', 'Data'],
  ['fraud-scoring', 'Scores an order before it is paid', 'Python', 'service,ml,tier-1', 'Data'],
  ['deploy-pipeline', 'Pipelines shared by all services', 'YAML', 'ci', 'Developer Experience'],
  ['service-template', 'Start a new service from here', 'TypeScript', 'template', 'Developer Experience'],
  ['build-images', 'Base images for builds and services', 'Dockerfile', 'ci,images', 'Developer Experience'],
  ['cluster-config', 'What runs in which cluster', 'YAML', 'gitops', 'Platform'],
  ['terraform-network', 'Networks and peering', 'HCL', 'infrastructure', 'Platform'],
  ['terraform-databases', 'Databases and their backups', 'HCL', 'infrastructure', 'Platform'],
  ['terraform-modules', 'Shared modules', 'HCL', 'infrastructure,library', 'Platform'],
  ['observability', 'Dashboards, alerts, recording rules', 'Jsonnet', 'platform', 'Reliability'],
  ['incident-bot', 'Opens the channel, keeps the timeline', 'TypeScript', 'bot', 'Reliability'],
  ['load-tests', 'Load tests of the hot paths', 'JavaScript', 'tests', 'Reliability'],
  ['runbooks', 'What to do at three in the morning', 'Markdown', 'docs', 'Reliability'],
  ['handbook', 'How we work', 'Markdown', 'docs', 'Developer Experience'],
  ['design-system', 'Components and tokens', 'TypeScript', 'frontend,library', 'Storefront'],
  ['go-kit', 'What every Go service shares', 'Go', 'library', 'Platform'],
  ['ts-kit', 'What every TypeScript service shares', 'TypeScript', 'library', 'Platform'],
] as const

/** For as many more repositories as asked: a subject with a form. */
export const subjects =
  'basket,price,coupon,gift-card,wishlist,review,address,carrier,parcel,supplier,purchase-order,currency,ledger,payout,dispute,loyalty,campaign,banner,image,video,email,push,session,profile,consent,audit,schema,metric,trace,quota'.split(
    ',',
  )
export const forms =
  'service:service,worker:worker,api:service,client:library,cli:tool,exporter:tool,importer:worker,dashboard:frontend,schema:library,proxy:service'.split(
    ',',
  )
export const languages = 'Go,TypeScript,Python,Kotlin,Java,Rust,Ruby'.split(',')
export const topicPool = 'tier-1,tier-2,tier-3,pci,gdpr,experimental,needs-owner,go-live,beta,internal-only'.split(',')
