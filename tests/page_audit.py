"""Audit of a page in the browser: contrast of every text by WCAG, a name for every control, no sideways scroll."""

from typing import Any

from playwright.async_api import Page

CONTRASTS = """() => {
  const parse = (text) => {
    const numbers = text.match(/[\\d.]+/g).map(Number);
    return { rgb: numbers.slice(0, 3), alpha: numbers[3] ?? 1 };
  };
  const over = (top, under) => top.rgb.map((one, at) => top.alpha * one + (1 - top.alpha) * under[at]);
  const ground = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.checkVisibility() || element.closest('script, [disabled]')) continue;
    const style = getComputedStyle(element), under = ground(element);
    const [one, other] = [luminance(over(parse(style.color), under)), luminance(under)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    found.push({ text: text.slice(0, 40), ratio: (one + 0.05) / (other + 0.05), least: isLarge ? 3 : 4.5 });
  }
  return found;
}"""
NAMELESS = """() => [...document.querySelectorAll('button, a[href], input, select, img, [role], [tabindex="0"]')]
  .filter((one) => one.checkVisibility() && one.getAttribute('alt') !== '')
  .filter((one) => !(one.getAttribute('aria-label') || one.getAttribute('aria-labelledby') || one.alt
    || one.labels?.length
    || one.textContent.trim() || ['alert', 'status'].includes(one.getAttribute('role'))))
  .map((one) => one.outerHTML.slice(0, 120))"""
SIDEWAYS = """() => document.documentElement.scrollWidth > innerWidth
  ? [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
      .map((one) => one.outerHTML.slice(0, 100)).slice(0, 5) : []"""


async def faint_texts(page: Page) -> list[dict[str, Any]]:
    """Return every text whose contrast to its ground is too low for WCAG 2.2 AA (1.4.3)."""
    found = await page.evaluate(CONTRASTS)
    assert len(found) > 4, "the page has texts"
    return [one for one in found if one["ratio"] < one["least"]]


async def nameless(page: Page) -> list[str]:
    """Return every control and picture without an accessible name."""
    return list(await page.evaluate(NAMELESS))


async def sideways(page: Page) -> list[str]:
    """Return what makes the page scroll sideways; empty where it does not."""
    return list(await page.evaluate(SIDEWAYS))
