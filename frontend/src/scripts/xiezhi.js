// What script adds to pages that already work without it. No inline handlers: everything hangs on data attributes.
import { watchForms } from "./parts/forms.js";
import { watchDrafts } from "./parts/drafts.js";
import { watchMenus, watchKeys, watchQuickSearch, watchToasts } from "./parts/shell.js";
import { watchLists } from "./parts/lists.js";
import { watchRequests } from "./parts/requests.js";
import { watchFills } from "./parts/fill.js";

document.documentElement.classList.add("scripted");
watchKeys();
watchMenus();
watchQuickSearch();
watchToasts();
watchForms();
watchDrafts();
watchLists();
watchRequests();
watchFills();
